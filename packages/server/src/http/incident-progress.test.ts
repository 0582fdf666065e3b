import { type Client, createClient } from "graphql-ws";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";

let api: StartedApi;
let client: Client;
let key: string;

beforeAll(async () => {
  api = await startApi();
  client = createClient({
    url: `${api.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${api.tokens.operator}` },
    retryAttempts: 0,
  });
  const { sql } = api.database;
  await sql`insert into endpoint (key, name, system_id, connector) select 'nagios', 'nagios', id, 'nagios' from system where key = 'shop'`;
  await sql`
    insert into alert (endpoint_id, fingerprint, remote_id, status, severity, title, resource_kind, resource_name, started_at, first_seen_at, changed_at)
    select id, 'erp', 'erp', 'firing', 'critical', 'erp is down', 'host', 'erp', app_now(), app_now(), app_now() from endpoint where key = 'nagios'`;
  const [row] = await sql<{ id: string }[]>`
    insert into incident (state, severity, title, root_node, root_alert_id, system_id, anchor_alert_id, started_at, opened_at, changed_at)
    select 'open', 'critical', 'erp is down', 'erp', a.id, s.id, a.id, app_now(), app_now(), app_now() from alert as a cross join system as s where s.key = 'erp' returning id::text`;
  key = row?.id ?? "";
  await sql`insert into alert_standing (alert_id, incident_id, joined_at) select id, ${key}::bigint, app_now() from alert`;
});
afterAll(async () => {
  await client?.dispose();
  await api?.stop();
});

const QUERY = `subscription ($key: String!) {
  incidentProgress(key: $key) { cursor incident { state severity alertCount firingCount assignee timeline(first: 50) { nodes { kind text } } } }
}`;
interface Progress {
  readonly incidentProgress: {
    readonly cursor: string;
    readonly incident: { readonly state: string; readonly timeline: { readonly nodes: readonly { readonly text: string }[] } };
  };
}

it("brings an incident at once, and again whenever it changed, as it is then", async () => {
  const progress = client.iterate<Progress>({ query: QUERY, variables: { key } });
  const next = async () => (await progress.next()).value as { readonly data?: Progress };
  expect(await next()).toMatchObject({
    data: { incidentProgress: { incident: { state: "OPEN", severity: "CRITICAL", alertCount: 1, firingCount: 1, assignee: null } } },
  });
  const ask = async (mutation: string, input: object) =>
    expect(
      (
        await api.ask(`mutation ($input: ${mutation}Input!) { ${mutation[0]?.toLowerCase()}${mutation.slice(1)}(input: $input) { key } }`, {
          input,
        })
      ).errors,
    ).toBeUndefined();
  await ask("MoveIncident", { key, state: "ACKNOWLEDGED" });
  expect(await next()).toMatchObject({ data: { incidentProgress: { incident: { state: "ACKNOWLEDGED" } } } });
  await ask("NoteIncident", { key, text: "the disk is full" });
  const noted = (await next()).data?.incidentProgress.incident;
  expect(noted?.timeline.nodes.map(({ text }) => text)).toContain("the disk is full");
  await progress.return?.();
});

it("is refused for an incident that does not exist", async () => {
  const answer = await client
    .iterate({ query: QUERY, variables: { key: "4711" } })
    .next()
    .catch((error: unknown) => ({ value: error }));
  expect(JSON.stringify(answer.value)).toContain("QSC_INCIDENT_NOT_FOUND");
});
