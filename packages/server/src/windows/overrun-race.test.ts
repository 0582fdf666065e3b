import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ResumeBench, resumeBench } from "../../../../test/server/resume-bench.js";
import { inTransaction } from "../command.js";
import { extendWindow } from "./occurrence-commands.js";
import { announceOverrun } from "./readiness.js";
import { resumeWindow } from "./resume-window.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const end = start + 10 * minute;
let bench: ResumeBench;

beforeEach(async () => {
  bench = await resumeBench({
    start,
    catalogue: { systems: [{ key: "erp" }], integrations: [{ key: "orders", systems: ["erp"] }], jobs: [] },
  });
  await bench.endpoint("erp-api", "erp");
  await bench.window({ resume: { readiness: { maxWaitMinutes: 1 } } });
  bench.answers.set("erp-api", { status: "down" });
  await bench.time.set(end);
  await bench.turn();
  // Late by now, and nobody has said so yet.
  await bench.time.set(end + 2 * minute);
});

afterEach(async () => {
  await bench.close();
});

/** While the occurrence is locked the command waits for it, and the pass behind the command: in this order they go on. */
async function overrunBehind(command: () => Promise<unknown>): Promise<number> {
  const waiting = (count: number) =>
    vi.waitFor(
      async () => {
        const rows = await bench.database.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        expect(rows).toHaveLength(count);
      },
      { timeout: 60_000 },
    );
  let announced: Promise<number> = Promise.resolve(-1);
  let commanded: Promise<unknown> = Promise.resolve();
  await bench.database.sql.begin(async (tx) => {
    await tx`select from occurrence for update`;
    commanded = command();
    await waiting(1);
    announced = inTransaction(bench.context, (inner) => announceOverrun(inner));
    await waiting(2);
  });
  await commanded;
  return announced;
}

describe("a window that waits for too long", () => {
  it("is not called overrun when it was extended at the same moment", async () => {
    expect(await overrunBehind(() => extendWindow(bench.context, { key: "patch", until: end + 60 * minute, reason: "not done" }))).toBe(0);
    expect(await bench.events("window.overrun")).toEqual([]);
    expect(await bench.database.sql`select from occurrence where overrun_at is not null`).toHaveLength(0);
  });

  it("is not called overrun when it was released at the same moment", async () => {
    expect(await overrunBehind(() => resumeWindow(bench.context, { key: "patch", skipReadiness: true, reason: "it is up" }))).toBe(0);
    expect(await bench.events("window.overrun")).toEqual([]);
  });
});
