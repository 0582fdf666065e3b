import { afterAll, beforeAll, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { type Database, openDatabase } from "../db/client.js";

// What an agreement asks of the past is written down when it happens: since when an occurrence was known, and its planned end.
const hour = 3_600_000;
const now = Date.parse("2027-03-01T00:00:00Z");
let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let windowId: number;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "planned-maintenance-test" });
  time = await controlTime(database.sql);
  await time.set(now);
  const [row] = await database.sql<{ id: number }[]>`
    insert into maintenance_window (key, title, series, scope, owner, reason, expanded_until, created_by)
    values ('w', 'w', '{}', '{}', 'o', 'r', app_now(), 'test') returning id`;
  windowId = row?.id ?? 0;
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});

/** An occurrence ten hours from now, two hours long, and what is known of it after a change, in hours from now. */
async function afterChange(name: string, change: { readonly at: number; readonly start?: number; readonly end?: number }) {
  await time.set(now);
  await database.sql`
    insert into occurrence (window_id, local_start, local_end, starts_at, ends_at, window_version, zone_data_version)
    values (${windowId}, ${name}, '', ${now + 10 * hour}::timestamptz, ${now + 12 * hour}::timestamptz, 1, 'x')`;
  await time.set(now + change.at * hour);
  await database.sql`
    update occurrence set starts_at = ${now + (change.start ?? 10) * hour}::timestamptz, ends_at = ${now + (change.end ?? 12) * hour}::timestamptz where local_start = ${name}`;
  const [row] = await database.sql<{ known: number; planned: number }[]>`
    select known_since as known, planned_ends_at as planned from occurrence where local_start = ${name}`;
  return row === undefined ? null : { known: (row.known - now) / hour, planned: (row.planned - now) / hour };
}

it.each([
  ["nothing changes", { at: 5 }, { known: 0, planned: 12 }],
  ["it is made longer beforehand", { at: 5, end: 14 }, { known: 5, planned: 14 }],
  ["it is moved ahead", { at: 5, start: 8 }, { known: 5, planned: 12 }],
  ["it is made shorter beforehand", { at: 5, start: 11, end: 11.5 }, { known: 0, planned: 11.5 }],
  ["it is made longer while it runs", { at: 11, end: 14 }, { known: 0, planned: 12 }],
  ["it is ended early", { at: 11, end: 11 }, { known: 0, planned: 11 }],
])("when %s", async (name, change, expected) => {
  expect(await afterChange(name, change)).toEqual(expected);
});
