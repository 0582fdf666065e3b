import Fastify from "fastify";
import mercurius from "mercurius";
import postgres from "postgres";
import { answerCpu } from "./answer-cpu.mjs";

/**
 * `mercurius-server.mjs <database> <jit>`: the dashboard's query with resolvers and loaders written by hand over the same tables, and nothing that guards it.
 * `jit` is the number of times after which a query is compiled; 0: never.
 */
const [, , databaseUrl, jit] = process.argv;
const sql = postgres(databaseUrl, { max: 10, connection: { jit: "off" } });

const schema = `
  enum Criticality { LOW MEDIUM HIGH CRITICAL }
  enum RunState { DUE HELD READY RUNNING SUCCEEDED FAILED ABORTED SKIPPED COALESCED CANCELLED LOST EXPIRED }
  type Run { id: ID! state: RunState! dueAt: String! startedAt: String finishedAt: String }
  type Hold { id: ID! title: String! owner: String! reason: String! expiresAt: String }
  type Integration { id: ID! key: String! name: String! ownerTeam: String criticality: Criticality! lastRun: Run holds: [Hold!]! }
  type IntegrationPage { nodes: [Integration!]! }
  type Query { integrations(first: Int): IntegrationPage! }`;

const globalId = (type) => (row) => Buffer.from(`${type}:${row.id}`).toString("base64");
const instant = (name) => (row) => row[name]?.toISOString() ?? null;
const resolvers = {
  Query: {
    integrations: async (_root, { first = 50 }) => ({
      nodes: await sql`select id, key, name, owner_team as "ownerTeam", criticality from integration order by key limit ${first}`,
    }),
  },
  Integration: { id: globalId("Integration"), criticality: (row) => row.criticality.toUpperCase() },
  Run: {
    id: globalId("Run"),
    state: (row) => row.state.toUpperCase(),
    dueAt: instant("dueAt"),
    startedAt: instant("startedAt"),
    finishedAt: instant("finishedAt"),
  },
  Hold: { id: globalId("Hold"), expiresAt: instant("expiresAt") },
};

const idsOf = (queries) =>
  sql.array(
    queries.map(({ obj }) => obj.id),
    23,
  );
const loaders = {
  Integration: {
    lastRun: {
      opts: { cache: false },
      async loader(queries) {
        const rows = await sql`
          select parent.id as parent, r.* from unnest(${idsOf(queries)}::integer[]) as parent(id)
          cross join lateral (
            select q.id, q.state, q.due_at as "dueAt", q.started_at as "startedAt", q.finished_at as "finishedAt" from run as q
            where q.integration_id = parent.id and q.started_at is not null and q.due_at >= ${new Date(Date.now() - 2 * 86_400_000)}
            order by q.due_at desc limit 1) as r`;
        const found = new Map(rows.map((row) => [row.parent, row]));
        return queries.map(({ obj }) => found.get(obj.id) ?? null);
      },
    },
    holds: {
      opts: { cache: false },
      async loader(queries) {
        const rows = await sql`
          select m.integration_id as parent, h.id, coalesce(w.title, 'Paused by hand') as title, h.owner, h.reason, h.expires_at as "expiresAt"
          from hold_member as m join hold as h on h.id = m.hold_id
          left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
          where m.integration_id = any(${idsOf(queries)}::integer[]) and m.released_at is null order by m.begins_at, h.id`;
        return queries.map(({ obj }) => rows.filter(({ parent }) => parent === obj.id));
      },
    },
  },
};

const app = Fastify();
await app.register(mercurius, { schema, resolvers, loaders, jit: Number(jit) });
answerCpu(await app.listen({ port: 0, host: "127.0.0.1" }));
