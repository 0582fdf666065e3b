import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { advanceWindows } from "../windows/advance.js";
import { moveIncident } from "./commands.js";
import { touchedSystems } from "./queries.js";
import { timelinePage } from "./timeline.js";

const start = Date.parse("2026-03-02T10:00:00Z");
/** Longer than an incident waits for its cause, and shorter than it looks for one. */
const RAISED = 40;

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
  const { sql } = bench.database;
  await sql`insert into team (key, title) values ('erp-team', 'ERP'), ('shop-team', 'Shop')`;
  await sql`
    insert into team_webhook (team_id, url, source, sealed, fingerprint) select id, 'https://hooks.example/' || key, 'env:X', '{}', 'f' from team`;
});
afterEach(() => bench?.close());

const sent = async () =>
  (await bench.database.sql<{ text: string }[]>`select team || ' ' || kind as text from outbox order by id`).map(({ text }) => text);

/** The shop is down, and somewhat later it turns out that the ERP is, which it needs. */
async function shopThenErp(between?: () => Promise<unknown>): Promise<void> {
  await bench.says("shop", { severity: "major" });
  await bench.pass(RAISED);
  await between?.();
  await bench.says("erp", { severity: "major" });
  await bench.pass(RAISED);
}

describe("a cause that is heard of later", () => {
  it("takes the incident to its team, which is told, and the other is not told again", async () => {
    await shopThenErp();
    expect(await bench.incidents()).toMatchObject([{ root: "erp", ownerTeam: "erp-team", alerts: ["shop", "erp"] }]);
    expect(await sent()).toEqual(["shop-team incident.opened", "erp-team incident.opened"]);
  });

  it("leaves the incident with whom works on it", async () => {
    await shopThenErp(() => moveIncident(bench.context, { id: 1, to: "acknowledged", reason: null, evenIfFiring: false }));
    expect(await bench.incidents()).toMatchObject([{ root: "erp", ownerTeam: "shop-team" }]);
    expect(await sent()).toEqual(["shop-team incident.opened"]);
  });

  it("counts towards the problem of that cause, however often it began elsewhere", async () => {
    for (let times = 0; times < 3; times += 1) {
      await shopThenErp();
      for (const resource of ["shop", "erp"]) await bench.says(resource, { severity: "major", status: "resolved" });
      await bench.pass(10);
      await bench.time.advance(3 * 3_600_000);
    }
    const problems = await bench.database.sql<{ root: string; incidents: number }[]>`
      select p.root_node as root, (select count(*)::integer from incident as i where i.problem_id = p.id) as incidents from problem as p`;
    expect([...problems]).toEqual([{ root: "erp", incidents: 3 }]);
  });
});

describe("what an incident touches", () => {
  it("is the system that a monitor calls by its key, with its windows, also where no integration passes through it", async () => {
    await bench.window("disk-swap", { systems: ["archive"], inMinutes: 1, minutes: 5 });
    await bench.time.advance(60_000);
    await advanceWindows(bench.context);
    await bench.time.advance(5 * 60_000);
    await advanceWindows(bench.context);
    await bench.says("archive");
    await bench.pass(RAISED);
    const [system] = await bench.database.sql<{ id: number }[]>`select id from system where key = 'archive'`;
    expect(await touchedSystems(bench.database, [1])).toEqual([{ id: 1, systemId: system?.id }]);
    const page = await timelinePage(bench.database, 1, { first: 50 });
    const windows = page.edges.map(({ node }) => node).filter(({ kind }) => kind.startsWith("window-"));
    expect(windows.map(({ kind, subject }) => `${kind} ${subject}`)).toContain("window-began disk-swap");
  });
});
