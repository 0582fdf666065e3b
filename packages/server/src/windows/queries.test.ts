import { occurrenceState, windowModes } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { type Database, openDatabase } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { occurrenceStateSql } from "./queries.js";

const NOW = Date.UTC(2026, 10, 20, 12);

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "window-queries-test" });
  await (await controlTime(database.sql)).set(NOW);
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

it("filters occurrences by the state that core derives, for every combination of facts", async () => {
  const set = [null, NOW - 5];
  const plain = [NOW - 1, NOW, NOW + 1].flatMap((startsAt) =>
    set.flatMap((quiescedAt) =>
      set.flatMap((releasedAt) =>
        set.flatMap((closedAt) =>
          set.flatMap((cancelledAt) =>
            [...windowModes.map((mode) => ({ mode, approved: true })), { mode: "enforce" as const, approved: false }].map((how) => ({
              startsAt,
              endsAt: NOW + 10,
              quiescedAt,
              releasedAt,
              closedAt,
              cancelledAt,
              ...how,
            })),
          ),
        ),
      ),
    ),
  );
  const facts = plain.flatMap((one) =>
    set.flatMap((verifyingAt) => set.flatMap((overrunAt) => set.map((reheldAt) => ({ ...one, verifyingAt, overrunAt, reheldAt })))),
  );
  for (const one of facts) {
    const [row] = await selectRows<{ state: string }>(
      database.db,
      sql`select ${occurrenceStateSql} as state from (select null::bigint as id, ${one.startsAt}::timestamptz as starts_at, ${one.quiescedAt}::timestamptz as quiesced_at,
        ${one.verifyingAt}::timestamptz as verifying_at, ${one.overrunAt}::timestamptz as overrun_at, ${one.reheldAt}::timestamptz as reheld_at,
        ${one.releasedAt}::timestamptz as released_at, ${one.closedAt}::timestamptz as closed_at, ${one.cancelledAt}::timestamptz as cancelled_at) as o,
        (select ${one.mode}::text as mode, ${one.approved ? null : '{"state": "pending"}'}::text::jsonb as approval) as w`,
    );
    expect(row?.state, JSON.stringify(one)).toBe(occurrenceState(one, NOW));
  }
});
