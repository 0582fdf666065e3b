import { describe, expect, it } from "vitest";
import type { RawSql } from "../../packages/server/src/db/client.js";
import { BrokenLaw } from "./story.js";
import { replaceProcessClock } from "./process-clock.js";
import { simulateSabotage } from "./simulate.js";
import { openPlace } from "./story-place.js";

/** In the claim: the holds that keep a run from starting. */
const predicate = "filter (where h.enforced and (";
const ignored = "filter (where false and (";
/** Not every step has a run to start that a hold keeps. */
const stories = 12;

/** Lets the claim ignore what holds, for the time of `act`. */
async function withoutHolds(sql: RawSql, act: () => Promise<void>): Promise<void> {
  const rows = await sql<{ text: string }[]>`select pg_get_functiondef('claim_runs'::regproc) as text`;
  const text = rows[0]?.text ?? "";
  expect(text.split(predicate), "the claim asks for what holds in other words: look at this test").toHaveLength(2);
  await sql.unsafe(text.replace(predicate, ignored));
  try {
    await act();
  } finally {
    await sql.unsafe(text);
  }
}

describe("the simulation", () => {
  it("sees it when the claim ignores what holds for one step", { timeout: 600_000 }, async () => {
    replaceProcessClock();
    const place = await openPlace({ days: false });
    const found: string[] = [];
    try {
      for (let seed = 1; seed <= stories && found.length === 0; seed += 1) {
        try {
          await simulateSabotage(seed, place, { step: 45, sabotage: (turn) => withoutHolds(place.database.sql, turn) });
        } catch (error) {
          if (!(error instanceof BrokenLaw)) throw error;
          found.push(error.message);
        }
        expect(await place.clear()).toBe(true);
      }
    } finally {
      await place.close();
    }
    expect(found).toEqual([expect.stringContaining("was started inside")]);
  });
});
