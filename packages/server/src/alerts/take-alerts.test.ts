import { afterEach, beforeEach, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const MINUTE = 60_000;
const minute = (n: number): string => new Date(start + n * MINUTE).toISOString();

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
});
afterEach(() => bench?.close());

const episodes = async () => [
  ...(await bench.database.sql<{ started: number; ended: number | null }[]>`
    select ((extract(epoch from started_at) * 1000 - ${start}::float8) / ${MINUTE}::float8)::float8 as started,
      ((extract(epoch from ended_at) * 1000 - ${start}::float8) / ${MINUTE}::float8)::float8 as ended from alert order by id`),
];

it("an end that lies before the end of a late list ends the episode that began before that list", async () => {
  await bench.says("erp");
  await bench.time.set(start + 5 * MINUTE);
  await bench.takeSnapshot("nagios", []);
  // The monitor says afterwards what took place before it: over at 2, again at 3, over at 4.
  await bench.says("erp", { startsAt: minute(3) });
  expect(await episodes()).toEqual([
    { started: 0, ended: 5 },
    { started: 5, ended: null },
  ]);
  await bench.says("erp", { status: "resolved", startsAt: minute(0), endsAt: minute(2) });
  expect(await episodes()).toMatchObject([{ ended: 5 }, { ended: null }]);
  // What changes meanwhile leaves its beginning as it is.
  await bench.says("erp", { startsAt: minute(3), title: "erp is burning" });
  await bench.says("erp", { status: "resolved", startsAt: minute(3), endsAt: minute(4) });
  expect(await episodes()).toEqual([
    { started: 0, ended: 5 },
    { started: 5, ended: 5 },
  ]);
});
