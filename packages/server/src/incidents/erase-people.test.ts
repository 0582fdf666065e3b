import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { eraseAuditPersonal } from "../audit/erase-personal.js";
import type { Actor, CommandContext } from "../command.js";
import { assignIncident, moveIncident, noteIncident, offerIncident } from "./commands.js";
import { mergeIncidents } from "./merge-commands.js";

const start = Date.parse("2026-03-02T10:00:00Z");

let bench: IncidentBench;
let ada: CommandContext;
let ben: CommandContext;
beforeEach(async () => {
  bench = await incidentBench(start);
  const actor = (name: string): Actor => ({ kind: "person", name, role: "operator" });
  [ada, ben] = [
    { ...bench.context, actor: actor("ada") },
    { ...bench.context, actor: actor("ben") },
  ];
  await bench.database.sql`insert into team (key, title) values ('network', 'Network') on conflict do nothing`;
  await bench.says("erp");
  await bench.says("archive", { severity: "minor" });
  await bench.pass(60);
});
afterEach(() => bench?.close());

/** Everything that incidents and the audit trail say. */
const everything = async (): Promise<string> => {
  const { sql } = bench.database;
  const rows = [
    await sql`select to_jsonb(t) as row from incident as t`,
    await sql`select to_jsonb(t) as row from incident_entry as t`,
    await sql`select to_jsonb(t) as row from alert_standing as t`,
    await sql`select to_jsonb(t) as row from audit_entry as t`,
  ];
  return JSON.stringify(rows);
};
const work = async (): Promise<void> => {
  await moveIncident(ada, { id: 1, to: "acknowledged", reason: null, evenIfFiring: false });
  await noteIncident(ada, { id: 1, text: "words by the first one" });
  await moveIncident(ada, { id: 1, to: "on-hold", reason: "reason of the first one", evenIfFiring: false });
  await offerIncident(ada, { id: 1, team: "network", reason: "offer of the first one" });
  await assignIncident(ben, { id: 2, assignee: "ada", reason: null });
  await noteIncident(ben, { id: 2, text: "words by the second one" });
  await mergeIncidents(ada, { id: 2, into: 1, reason: "merge by the first one" });
};

describe("the erasure of a person", () => {
  it("takes the name out of incidents wherever it stands, and the words that the person wrote; others' stay", async () => {
    await work();
    expect(await everything()).toMatch(/\bada\b/);
    const erased = await eraseAuditPersonal(bench.context, { actor: "person:ada", reason: "request 1" });
    expect(erased.incidents).toBe(2);
    const left = await everything();
    expect(/\bada\b|first one/.exec(left)).toBeNull();
    expect(left).toMatch(/words by the second one/);
    expect((await bench.database.sql`select state, assignee, offered_by, hold_reason from incident order by id`)[0]).toEqual({
      state: "on-hold",
      assignee: "erased",
      offered_by: "erased",
      hold_reason: "erased",
    });
    const said = await bench.database.sql`select kind, actor, text from incident_entry where kind in ('note', 'assigned') order by id`;
    expect([...said]).toEqual([
      { kind: "note", actor: "erased", text: "erased" },
      { kind: "assigned", actor: "person:ben", text: "erased works on it." },
      { kind: "note", actor: "person:ben", text: "words by the second one" },
    ]);
    const orders = await bench.database.sql`select reason, after from audit_entry where action = 'incident.erase-people'`;
    expect([...orders]).toEqual([{ reason: "request 1", after: { incidents: 2 } }]);
  });

  it("finds nothing the second time", async () => {
    await work();
    await eraseAuditPersonal(bench.context, { actor: "person:ada", reason: "request 1" });
    await expect(eraseAuditPersonal(bench.context, { actor: "person:ada", reason: "again" })).rejects.toMatchObject({
      code: "QSC_AUDIT_ERASE_NOTHING",
    });
  });

  it("leaves an incident that people made as they made it", async () => {
    await work();
    const placed = async () =>
      (await bench.database.sql`select alert_id, incident_id from alert_standing where placed_by is not null order by 1`).length;
    const before = await placed();
    expect(before).toBeGreaterThan(0);
    await eraseAuditPersonal(bench.context, { actor: "person:ada", reason: "request 1" });
    expect(await placed()).toBe(before);
  });
});

describe("the erasure of an incident", () => {
  it("takes everybody out of that one, and leaves the others", async () => {
    await noteIncident(ada, { id: 1, text: "words about 1" });
    await noteIncident(ada, { id: 2, text: "words about 2" });
    await assignIncident(ben, { id: 1, assignee: "ada", reason: "she knows it" });
    expect(await eraseAuditPersonal(bench.context, { subjectKind: "incident", subjectKey: "1", reason: "request 2" })).toMatchObject({
      incidents: 1,
    });
    const said = await bench.database.sql`select incident_id::integer as id, actor, text, data ->> 'reason' as reason from incident_entry
      where kind in ('note', 'assigned') order by id, incident_entry.id`;
    expect([...said]).toEqual([
      { id: 1, actor: "erased", text: "erased", reason: null },
      { id: 1, actor: "erased", text: "erased works on it.", reason: "erased" },
      { id: 2, actor: "person:ada", text: "words about 2", reason: null },
    ]);
    expect((await bench.database.sql`select assignee from incident where id = 1`)[0]).toEqual({ assignee: "erased" });
  });
});
