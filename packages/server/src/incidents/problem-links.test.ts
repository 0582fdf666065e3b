import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { updateProblem } from "./problem-commands.js";
import { linkIncidentToProblem, unlinkIncidentFromProblem } from "./problem-links.js";
import { mergeIncidents } from "./merge-commands.js";
import { timelinePage } from "./timeline.js";

const start = Date.parse("2026-03-02T10:00:00Z");
/** Longer than an incident waits for its cause. */
const AWHILE = 60;

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
});
afterEach(() => bench?.close());

/** An incident with its root there, which is over. */
const trouble = async (root: string): Promise<void> => {
  await bench.says(root);
  await bench.pass(AWHILE);
  await bench.says(root, { status: "resolved" });
  await bench.pass(10);
  await bench.time.advance(3 * 3_600_000);
};
const troubles = async (root: string, times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) await trouble(root);
};
const link = async (id: number, problem: number, reason = "the same disk") => linkIncidentToProblem(bench.context, { id, problem, reason });
const unlink = async (id: number, reason = "another disk") => unlinkIncidentFromProblem(bench.context, { id, reason });
const links = async () =>
  Object.fromEntries(
    (await bench.database.sql<{ id: number; problem: number | null }[]>`select id, problem_id as problem from incident order by id`).map(
      ({ id, problem }) => [id, problem],
    ),
  );
const events = async (like: string) =>
  (
    await bench.database.sql<{ kind: string; key: string; payload: unknown }[]>`
      select kind, subject_key as key, payload from event_inbox where kind like ${like} order by id`
  ).map(({ kind, key, payload }) => ({ kind, key, payload }));

describe("an incident that a person links to a problem", () => {
  it("is one of its incidents although its root is another, also when it is over, with the reason on its timeline", async () => {
    await troubles("erp", 3);
    await trouble("archive");
    expect(await links()).toEqual({ 1: 1, 2: 1, 3: 1, 4: null });
    await link(4, 1);
    expect(await links()).toEqual({ 1: 1, 2: 1, 3: 1, 4: 1 });
    const { edges } = await timelinePage(bench.database, 4, { first: 50, kinds: ["entry"] });
    expect(edges.at(-1)?.node).toMatchObject({ text: "Linked to problem 1.", subject: "problem", data: { reason: "the same disk" } });
    const [audited] = await bench.database.sql`
      select action, subject_key as key, reason, before, after from audit_entry where action = 'incident.link'`;
    expect(audited).toEqual({
      action: "incident.link",
      key: "4",
      reason: "the same disk",
      before: { problem: null },
      after: { problem: "1" },
    });
    expect((await events("incident.problem-linked")).at(-1)).toMatchObject({ key: "4", payload: { problem: "1" } });
    expect((await events("problem.%")).map(({ kind }) => kind)).toEqual(["problem.opened", "problem.linked", "problem.linked"]);
    expect((await events("problem.linked")).at(-1)).toMatchObject({ key: "1", payload: { incident: "4" } });
  });

  it("stays with it when its root turns out to lie elsewhere, where another problem is open", async () => {
    await troubles("erp", 3);
    await bench.database.sql`insert into problem (title, root_node, opened_at, changed_at) values ('odd', 'odd', app_now(), app_now())`;
    await bench.says("shop", { severity: "major" });
    await bench.pass(40);
    await link(4, 2);
    await bench.says("erp", { severity: "major" });
    await bench.pass(40);
    expect((await bench.incidents()).at(-1)).toMatchObject({ id: 4, root: "erp" });
    expect(await links()).toEqual({ 1: 1, 2: 1, 3: 1, 4: 2 });
    const { edges } = await timelinePage(bench.database, 4, { first: 50, kinds: ["entry"] });
    expect(edges.filter(({ node }) => node.subject === "problem").map(({ node }) => node.text)).toEqual(["Linked to problem 2."]);
  });

  it("is refused where it is linked, was merged, or the problem is closed or not there", async () => {
    await troubles("erp", 3);
    await trouble("archive");
    await trouble("crm");
    await expect(link(4711, 1)).rejects.toMatchObject({ code: "QSC_INCIDENT_NOT_FOUND" });
    await expect(link(4, 4711)).rejects.toMatchObject({ code: "QSC_PROBLEM_NOT_FOUND", field: "problem" });
    await expect(link(4, 1, " ")).rejects.toMatchObject({ code: "QSC_INCIDENT_REASON" });
    await expect(link(1, 1)).rejects.toMatchObject({ code: "QSC_INCIDENT_PROBLEM", message: expect.stringMatching(/already/) as unknown });
    await bench.database.sql`insert into problem (title, root_node, opened_at, changed_at) values ('odd', 'odd', app_now(), app_now())`;
    await expect(link(1, 2)).rejects.toMatchObject({
      code: "QSC_INCIDENT_PROBLEM",
      message: expect.stringMatching(/problem 1\. Unlink it first/) as unknown,
    });
    await updateProblem(bench.context, { id: 2, state: "closed", cause: null, workaround: null, reason: "mended" });
    await expect(link(4, 2)).rejects.toMatchObject({ code: "QSC_PROBLEM_CLOSED" });
    await bench.says("shop");
    await bench.pass(AWHILE);
    await mergeIncidents(bench.context, { id: 4, into: 6, reason: "one cause" });
    await expect(link(4, 1)).rejects.toMatchObject({ code: "QSC_INCIDENT_STATE", message: expect.stringMatching(/into 6/) as unknown });
    expect((await events("incident.problem-linked")).filter(({ key }) => key === "4")).toEqual([]);
  });
});

describe("an incident that a person takes out of its problem", () => {
  it("is not linked again by what comes later, and counts for no other problem of its root", async () => {
    await troubles("erp", 3);
    await unlink(3);
    expect(await links()).toEqual({ 1: 1, 2: 1, 3: null });
    await trouble("erp");
    expect(await links()).toEqual({ 1: 1, 2: 1, 3: null, 4: 1 });
    expect((await events("incident.problem-unlinked")).map(({ key, payload }) => ({ key, payload }))).toEqual([
      { key: "3", payload: { problem: null, was: "1", by: bench.context.actor.name } },
    ]);
    expect((await events("problem.unlinked")).map(({ key }) => key)).toEqual(["1"]);
    await expect(unlink(3)).rejects.toMatchObject({ code: "QSC_INCIDENT_PROBLEM" });
    await link(3, 1, "it was after all");
    expect(await links()).toEqual({ 1: 1, 2: 1, 3: 1, 4: 1 });
  });

  it("is none of the three that make a problem", async () => {
    await troubles("erp", 2);
    await bench.database.sql`update incident set problem_placed_by = 'ana' where id = 1`;
    await trouble("erp");
    expect(await links()).toEqual({ 1: null, 2: null, 3: null });
    await trouble("erp");
    expect(await links()).toEqual({ 1: null, 2: 1, 3: 1, 4: 1 });
  });
});
