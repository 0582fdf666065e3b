import { nagiosConnector } from "@quiesce/connectors";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { inTransaction, readNow } from "../../command.js";
import { takeAlerts } from "../../alerts/take-alerts.js";
import { openDatabase } from "../../db/client.js";

/** An incident waits half a minute for its cause. */
const RAISED = { timeout: 150_000, interval: 500 };
let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const read = async (...args: readonly string[]): Promise<unknown> => {
  const { code, out, err } = await quiesce(...args, "--json");
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out) as unknown;
};
const list = async () =>
  (await read("incidents", "list", "--all")) as readonly { key: string; root: string; state: string; alertCount: number }[];

/** What the monitor says of hosts, taken in. */
async function take(status: "firing" | "resolved", ...hosts: readonly string[]): Promise<void> {
  const database = openDatabase(server.databaseUrl, { max: 1, applicationName: "incident-commands" });
  await inTransaction({ database }, async (tx) => {
    const now = await readNow(tx);
    const [endpoint] = await tx.execute<{ id: number }>("select id from endpoint where key = 'nagios'");
    const alerts = hosts.map((name) => ({
      id: name,
      fingerprint: name,
      status,
      severity: "critical" as const,
      title: `${name} is down`,
      startsAt: new Date(now).toISOString(),
      ...(status === "resolved" ? { endsAt: new Date(now).toISOString() } : {}),
      resource: { kind: "host", name },
    }));
    await takeAlerts(tx, { endpoint: { id: endpoint?.id ?? 0, key: "nagios" }, alerts, completeAsOf: null, now });
  });
  await database.close();
}

beforeAll(async () => {
  server = await commandLineServer({ name: "incident", connectors: [nagiosConnector] });
  const file = join(server.folder, "workspace.json");
  const systems = ["erp", "archive", "crm"].map((key) => ({ key, ownerTeam: "finance" }));
  const endpoints = [
    {
      key: "nagios",
      system: "archive",
      connector: "nagios",
      config: { url: "http://127.0.0.1:9", user: "q" },
      secrets: { password: { value: "p" } },
    },
  ];
  await writeFile(file, JSON.stringify({ quiesce: 1, systems, endpoints, teams: [{ key: "finance" }, { key: "network" }] }));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  await take("firing", "erp", "archive", "crm");
  await vi.waitFor(async () => expect(await list()).toHaveLength(3), RAISED);
}, 300_000);
afterAll(() => server?.close());

const keyOf = async (root: string): Promise<string> => (await list()).find((one) => one.root === root)?.key ?? "";

describe("quiesce incidents", () => {
  it("takes one through every step, each answered with the incident", async () => {
    const key = await keyOf("erp");
    expect(await read("incidents", "ack", key)).toMatchObject({ key, state: "ACKNOWLEDGED" });
    expect(await read("incidents", "note", key, "the disk is full")).toMatchObject({ key });
    expect(await read("incidents", "assign", key, "ana")).toMatchObject({ assignee: "ana" });
    expect(await read("incidents", "start", key)).toMatchObject({ state: "IN_PROGRESS" });
    expect(await read("incidents", "hold", key, "--reason", "a new disk at noon")).toMatchObject({ state: "ON_HOLD" });
    expect(await read("incidents", "offer", key, "network", "--reason", "the switch")).toMatchObject({ offeredTo: "network" });
    expect(await read("incidents", "decline", key, "--reason", "not ours")).toMatchObject({ ownerTeam: "finance", offeredTo: null });
    await read("incidents", "offer", key, "network", "--reason", "it is the switch");
    expect(await read("incidents", "accept", key)).toMatchObject({ ownerTeam: "network" });
    expect((await quiesce("incidents", "resolve", key)).err).toMatch(/still fires/);
    expect(await read("incidents", "resolve", key, "--even-if-firing", "--reason", "wrong monitor")).toMatchObject({ state: "RESOLVED" });
    expect(await read("incidents", "reopen", key, "--reason", "it is not")).toMatchObject({ state: "OPEN" });
    await read("incidents", "resolve", key, "--even-if-firing", "--reason", "it is");
    expect(await quiesce("incidents", "close", key)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/QSC_INCIDENT_FIRING/) as unknown,
    });
    await take("resolved", "erp");
    expect(await read("incidents", "close", key)).toMatchObject({ state: "CLOSED" });
    const { out } = await quiesce("incidents", "show", key);
    expect(out).toMatch(/the disk is full/);
    expect(out).toMatch(/Offered to network/);
  });

  it("merges two, and splits one", async () => {
    const [archive, crm] = [await keyOf("archive"), await keyOf("crm")];
    expect(await read("incidents", "merge", crm, archive, "--reason", "one power supply")).toMatchObject({ key: archive, alertCount: 2 });
    const alerts = (await read("alert", "list", "--incident", archive)) as readonly { key: string; resourceName: string }[];
    const alert = alerts.find(({ resourceName }) => resourceName === "crm")?.key ?? "";
    expect(await read("incidents", "split", archive, alert, "--reason", "two after all")).toMatchObject({ alertCount: 1 });
    expect(await read("alert", "show", alert)).toMatchObject({ resourceName: "crm", incident: { key: expect.any(String) as unknown } });
    expect((await quiesce("alert", "show", alert)).out).toMatch(/crm is down/);
    expect(await quiesce("alert", "show", "999")).toMatchObject({ code: 1 });
  });
});

describe("quiesce problems", () => {
  it("shows one with its incidents, which people link and take out", async () => {
    const database = openDatabase(server.databaseUrl, { max: 1, applicationName: "incident-commands" });
    const [row] = await database.sql<{ key: string }[]>`
      insert into problem (title, root_node, system_id, opened_at, changed_at)
      select 'The disk is full', 'erp', id, app_now(), app_now() from system where key = 'erp' returning id::text as key`;
    await database.close();
    const problem = row?.key ?? "";
    const key = await keyOf("archive");
    expect((await quiesce("problems", "show", problem)).out).toMatch(/no incident is linked to it/);
    expect(await read("incidents", "link", key, problem, "--reason", "one disk")).toMatchObject({ key, problem: { key: problem } });
    expect(await read("problems", "show", problem)).toMatchObject({ key: problem, system: { key: "erp" }, incidents: [{ key }] });
    const { out } = await quiesce("problems", "show", problem);
    expect(out).toMatch(/problem \d+ +open +The disk is full/);
    expect(out).toMatch(/archive/);
    expect(await quiesce("incidents", "link", key, problem, "--reason", "again")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/linked to problem \d+ already/) as unknown,
    });
    expect(await read("incidents", "unlink", key, "--reason", "two disks")).toMatchObject({ key, problem: null });
    expect((await quiesce("incidents", "show", key)).out).toMatch(/Taken out of problem/);
    expect(await quiesce("problems", "show", "4711")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/There is no problem 4711/) as unknown,
    });
  });
});

describe("quiesce correlation-rules", () => {
  const file = () => join(server.folder, "rules.yaml");

  it("tries rules on what was recorded, puts them into force, and takes one out again", async () => {
    await writeFile(file(), "- id: tests\n  match: { node: [test-*] }\n  action: SUPPRESS\n- id: by-source\n  groupBy: [source]\n");
    const tried = await quiesce("correlation-rules", "preview", file(), "--since", "1h");
    expect(tried.out).toMatch(/^Would have made 3 incidents of 3 alerts \(now 3\); hides no critical\./);
    expect(await read("correlation-rules", "list")).toEqual([]);
    expect(await read("correlation-rules", "save", file(), "--reason", "tests are noise")).toMatchObject([
      { id: "tests" },
      { id: "by-source" },
    ]);
    expect((await quiesce("correlation-rules", "list")).out).toMatch(/tests +suppress/);
    expect(await read("correlation-rules", "delete", "tests", "--reason", "no tests any more")).toMatchObject([{ id: "by-source" }]);
    expect(await quiesce("correlation-rules", "delete", "tests", "--reason", "again")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no rule "tests"/) as unknown,
    });
    expect(await read("correlation-rules", "list")).toMatchObject([{ id: "by-source" }]);
  });

  it("says what is wrong with a rule, and changes nothing then", async () => {
    await writeFile(file(), "- id: far\n  topology: { maxHops: 99 }\n");
    expect(await quiesce("correlation-rules", "save", file(), "--reason", "x")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/rules\.0\.topology\.maxHops/) as unknown,
    });
    expect(await read("correlation-rules", "list")).toMatchObject([{ id: "by-source" }]);
  });
});
