import { afterEach, beforeEach, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { noteCall } from "../connector-host/traffic/breaker-store.js";

const start = Date.parse("2026-03-02T10:00:00Z");

let bench: IncidentBench;
let endpoint: { readonly id: number; readonly key: string };
beforeEach(async () => {
  bench = await incidentBench(start);
  const [row] = await bench.database.sql<{ id: number }[]>`
    insert into endpoint (key, name, system_id, connector) select 'erp-api', 'ERP', id, 'http' from system where key = 'erp' returning id`;
  await bench.database.sql`update system set criticality = 'high' where key = 'erp'`;
  endpoint = { id: row?.id ?? 0, key: "erp-api" };
});
afterEach(() => bench?.close());

/** Calls fail until nobody calls any more. */
const fail = async () => {
  for (let call = 0; call < 50; call += 1)
    if ((await noteCall(bench, endpoint, { kind: "away", reason: "connection refused" })).kind !== "go") return;
  throw new Error("The breaker did not open.");
};
const answer = () => noteCall(bench, endpoint, { kind: "probed", isThere: true, reason: null });

it("an endpoint that gives no answer is an alert of this server, and one incident with its system as the root", async () => {
  await fail();
  await bench.pass(60);
  expect(await bench.incidents()).toMatchObject([{ root: "erp", severity: "major", state: "open", ownerTeam: "erp-team" }]);
  await answer();
  await bench.pass(10);
  expect(await bench.incidents()).toMatchObject([{ state: "resolved" }]);
  expect([...(await bench.database.sql`select origin, status, ended_by from alert`)]).toEqual([
    { origin: "check", status: "resolved", ended_by: "check" },
  ]);
});

it("in a window over its system it raises nothing, and at the end of the window what still gives no answer is raised once", async () => {
  await bench.window("erp-patch", { systems: ["erp"], inMinutes: 1, minutes: 5 });
  await bench.time.advance(60_000);
  await fail();
  await bench.pass(4 * 60);
  expect(await bench.incidents()).toEqual([]);
  await bench.pass(120);
  expect(await bench.incidents()).toMatchObject([{ root: "erp", state: "open" }]);
});

it("a complete list of a monitor's own alerts ends nothing that this server said of the monitor", async () => {
  const [nagios] = await bench.database.sql<{ id: number }[]>`select id from endpoint where key = 'nagios'`;
  endpoint = { id: nagios?.id ?? 0, key: "nagios" };
  await fail();
  await bench.says("erp");
  await bench.takeSnapshot("nagios", []);
  expect([...(await bench.database.sql`select resource_name as name, status from alert order by id`)]).toEqual([
    { name: "nagios", status: "firing" },
    { name: "erp", status: "resolved" },
  ]);
});
