import { type Client, createClient } from "graphql-ws";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createToken } from "../access/tokens.js";
import { takeAlerts } from "../alerts/take-alerts.js";
import { inTransaction, readNow } from "../command.js";

let api: StartedApi;
/** Somebody who sees the integration of the shop alone. */
let narrow: string;
/** Somebody who answers for the system of the shop alone. */
let crew: string;
let clients: Client[] = [];

beforeAll(async () => {
  api = await startApi();
  const tokenOf = async (kind: "integration" | "system", name: string) =>
    (await createToken(api.context, { name: `of-${name}`, grants: [{ role: "operator", scope: { kind, name } }] })).secret;
  narrow = await tokenOf("integration", "stock");
  crew = await tokenOf("system", "shop");
  await api.database.sql`
    insert into endpoint (key, name, system_id, connector) select key || '-watch', key, id, 'nagios' from system where key in ('shop', 'erp')`;
});
afterEach(async () => {
  await Promise.all(clients.map(async (client) => client.dispose()));
  clients = [];
});
afterAll(() => api?.stop());

function connect(token: string): Client {
  const client = createClient({
    url: `${api.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  clients.push(client);
  return client;
}

type Said = "firing" | "resolved" | "worse";
/** A monitor says something of a thing, as its own words are: `shop: db firing`. */
async function says(monitor: "shop" | "erp", name: string, said: Said): Promise<void> {
  await inTransaction(api.context, async (tx) => {
    const now = await readNow(tx);
    const [endpoint] = await tx.execute<{ id: number }>(`select id from endpoint where key = '${monitor}-watch'`);
    const alert = {
      id: name,
      fingerprint: name,
      status: said === "resolved" ? ("resolved" as const) : ("firing" as const),
      severity: said === "worse" ? ("critical" as const) : ("major" as const),
      title: `${name} is down`,
      startsAt: new Date(now).toISOString(),
      resource: { kind: "host", name },
    };
    await takeAlerts(tx, { endpoint: { id: endpoint?.id ?? 0, key: `${monitor}-watch` }, alerts: [alert], completeAsOf: null, now });
  });
}

/** After all that was said so far: what still waits for its number would come behind the cursor. */
const cursorNow = async () => {
  await expect.poll(async () => (await api.database.sql`select from event_inbox limit 1`).length, { timeout: 60_000 }).toBe(0);
  return (await api.ask("{ eventCursor }")).data?.["eventCursor"] as string;
};

const ALERTS = `subscription ($after: String, $endpoints: [String!]) {
  alertEvents(after: $after, endpoints: $endpoints) { cursor kind at alert { title status severity endpoint { key } } }
}`;
const PROBLEMS = `subscription ($after: String, $keys: [String!]) {
  problemEvents(after: $after, keys: $keys) { cursor kind problem { key state root } incident { key } }
}`;

interface Came {
  readonly cursor: string;
  readonly kind: string;
  readonly alert?: { readonly title: string; readonly status: string; readonly endpoint: { readonly key: string } } | null;
  readonly problem?: { readonly key: string; readonly state: string } | null;
  readonly incident?: { readonly key: string } | null;
}

/** The next `count` events, and then the subscription ends; a refusal is thrown. */
async function take(token: string, query: string, variables: Record<string, unknown>, count: number): Promise<readonly Came[]> {
  const came: Came[] = [];
  for await (const { data, errors } of connect(token).iterate<{ [field: string]: Came }>({ query, variables })) {
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    came.push(...Object.values(data ?? {}));
    if (came.length === count) break;
  }
  return came;
}
const refusal = (token: string, query: string, variables: Record<string, unknown>): Promise<string> =>
  take(token, query, variables, 1).then(
    () => "",
    (error: unknown) => (error instanceof Error ? error.message : JSON.stringify(error)),
  );
const said = ({ kind, alert }: Came): string => `${kind} ${alert?.title ?? ""}`;

describe("alertEvents", () => {
  it("brings what happens to alerts in order, and goes on after a cursor without a gap or a repeat", async () => {
    const after = await cursorNow();
    await says("shop", "db", "firing");
    await says("shop", "db", "worse");
    const first = await take(api.tokens.viewer, ALERTS, { after }, 2);
    expect(first.map(said)).toEqual(["alert.fired db is down", "alert.changed db is down"]);
    expect(first[1]?.alert).toMatchObject({ status: "FIRING", severity: "CRITICAL", endpoint: { key: "shop-watch" } });
    // While nobody is connected.
    await says("erp", "disk", "firing");
    await says("shop", "db", "resolved");
    const rest = await take(api.tokens.viewer, ALERTS, { after: first[0]?.cursor }, 3);
    expect(rest.map(said)).toEqual(["alert.changed db is down", "alert.fired disk is down", "alert.resolved db is down"]);
    expect(rest.map(({ cursor }) => cursor)[0]).toBe(first[1]?.cursor);
    // As it is now, not as it was then.
    expect(rest[0]?.alert).toMatchObject({ status: "RESOLVED" });
  });

  it("brings nothing of what is out of the caller's reach, and the rest", async () => {
    const after = await cursorNow();
    await says("erp", "queue", "firing");
    await says("shop", "till", "firing");
    await says("erp", "queue", "resolved");
    await says("shop", "till", "resolved");
    const [own, all] = [await take(narrow, ALERTS, { after }, 2), await take(api.tokens.viewer, ALERTS, { after }, 4)];
    expect(own.map(said)).toEqual(["alert.fired till is down", "alert.resolved till is down"]);
    expect(all.map(said)).toEqual([
      "alert.fired queue is down",
      "alert.fired till is down",
      "alert.resolved queue is down",
      "alert.resolved till is down",
    ]);
  });

  it("brings only those of the monitors that are named, and refuses names that the caller does not see", async () => {
    const after = await cursorNow();
    await says("shop", "a", "firing");
    await says("erp", "b", "firing");
    expect((await take(api.tokens.viewer, ALERTS, { after, endpoints: ["erp-watch"] }, 1)).map(said)).toEqual(["alert.fired b is down"]);
    expect(await refusal(api.tokens.viewer, ALERTS, { endpoints: ["erp-wach"] })).toContain("QSC_ENDPOINT_NOT_FOUND");
    expect(await refusal(narrow, ALERTS, { endpoints: ["erp-watch"] })).toContain("QSC_ENDPOINT_NOT_FOUND");
    const many = Array.from({ length: 101 }, (_, n) => `e${n}`);
    expect(await refusal(api.tokens.viewer, ALERTS, { endpoints: many })).toContain("QSC_EVENTS_FILTER_INVALID");
    expect(await refusal(api.tokens.viewer, ALERTS, { after: "nonsense" })).toContain("QSC_EVENTS_CURSOR_MALFORMED");
  });
});

describe("problemEvents", () => {
  let problems: { readonly [root: string]: string };
  let incidents: { readonly [root: string]: string };
  beforeAll(async () => {
    const { sql } = api.database;
    const made = await sql<{ root: string; problem: string; incident: string }[]>`
      with p as (
        insert into problem (title, root_node, system_id, opened_at, changed_at)
        select key || ' again', key, id, app_now(), app_now() from system where key in ('shop', 'erp') returning id, root_node),
      i as (
        insert into incident (state, severity, title, root_node, system_id, anchor_alert_id, started_at, opened_at, changed_at)
        select 'open', 'major', key || ' is down', key, id, -id, app_now(), app_now(), app_now() from system where key in ('shop', 'erp')
        returning id, root_node)
      select p.root_node as root, p.id::text as problem, i.id::text as incident from p join i on i.root_node = p.root_node`;
    problems = Object.fromEntries(made.map(({ root, problem }) => [root, problem]));
    incidents = Object.fromEntries(made.map(({ root, incident }) => [root, incident]));
  });
  const ask = async (field: string, type: string, input: object, token?: string) =>
    api.ask(`mutation ($input: ${type}!) { ${field}(input: $input) { key } }`, { input }, token);
  const link = (root: string, token?: string) =>
    ask(
      "linkIncidentToProblem",
      "LinkIncidentToProblemInput",
      { key: incidents[root], problem: problems[root], reason: "the disk" },
      token,
    );

  it("brings links, what people find out and what they take apart, to those who may see it", async () => {
    const after = await cursorNow();
    expect((await link("erp")).errors).toBeUndefined();
    expect((await link("shop", crew)).errors).toBeUndefined();
    await ask("updateProblem", "UpdateProblemInput", { key: problems["shop"], state: "KNOWN_ERROR", reason: "found" });
    await ask("unlinkIncidentFromProblem", "UnlinkIncidentFromProblemInput", { key: incidents["shop"], reason: "no" });
    const all = await take(api.tokens.viewer, PROBLEMS, { after }, 4);
    expect(all.map(({ kind, problem, incident }) => [kind, problem?.key, incident?.key])).toEqual([
      ["problem.linked", problems["erp"], incidents["erp"]],
      ["problem.linked", problems["shop"], incidents["shop"]],
      ["problem.updated", problems["shop"], undefined],
      ["problem.unlinked", problems["shop"], incidents["shop"]],
    ]);
    expect(all[1]?.problem).toMatchObject({ state: "KNOWN_ERROR" });
    const own = await take(narrow, PROBLEMS, { after }, 3);
    expect(own.map(({ kind, problem }) => [kind, problem?.key])).toEqual(
      ["problem.linked", "problem.updated", "problem.unlinked"].map((kind) => [kind, problems["shop"]]),
    );
    const resumed = await take(narrow, PROBLEMS, { after: own[0]?.cursor, keys: [problems["shop"]] }, 2);
    expect(resumed.map(({ cursor }) => cursor)).toEqual(own.slice(1).map(({ cursor }) => cursor));
  });

  it("is refused for a problem that is not there or out of reach, and so is a link to one", async () => {
    const [hidden] = await api.database.sql<{ key: string }[]>`
      insert into problem (title, root_node, system_id, opened_at, changed_at)
      select 'full', key, id, app_now(), app_now() from system where key = 'erp-db' returning id::text as key`;
    const linked = async (problem: string | undefined) => {
      const input = { key: incidents["shop"], problem, reason: "r" };
      return (await ask("linkIncidentToProblem", "LinkIncidentToProblemInput", input, crew)).errors?.[0]?.extensions.code;
    };
    expect([await linked(hidden?.key), await linked("4711")]).toEqual(["QSC_PROBLEM_NOT_FOUND", "QSC_PROBLEM_NOT_FOUND"]);
    expect(await refusal(narrow, PROBLEMS, { keys: [hidden?.key] })).toContain("QSC_PROBLEM_NOT_FOUND");
    expect(await refusal(api.tokens.viewer, PROBLEMS, { keys: ["4711"] })).toContain("QSC_PROBLEM_NOT_FOUND");
    expect(await refusal(api.tokens.viewer, PROBLEMS, { keys: ["shop"] })).toContain("QSC_ID_MALFORMED");
  });
});
