import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { createVisibleDatabases } from "../../packages/server/dist/access/visible-database.js";
import { masterKeyOf } from "../../packages/server/dist/credentials/master-key.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { createLiveBus } from "../../packages/server/dist/events/live-bus.js";
import { createSequencer } from "../../packages/server/dist/events/sequencer.js";
import { builder } from "../../packages/server/dist/graphql/builder.js";
import { createApi } from "../../packages/server/dist/graphql/create-yoga.js";
import { createPersistedDocuments } from "../../packages/server/dist/graphql/persisted-documents.js";
import { defaultApiLimits } from "../../packages/server/dist/http/api-limits.js";
import { serveGraphql } from "../../packages/server/dist/http/graphql-route.js";
import { createHttpServer } from "../../packages/server/dist/http/create-http-server.js";
import { silent } from "./bench-server.mjs";

/**
 * A process of its own, so that its CPU is the server's alone. `quiesce <database>` serves the API, `raw` a bare ws server that sends each message it
 * is given to every client, `raw-sql <database>` a bare HTTP server that answers the dashboard's rows from one statement, `unguarded <database>` the
 * same GraphQL as `quiesce` without anything that guards it. On its standard input: `cpu` answers the microseconds of CPU used since the last time, anything else is broadcast (raw).
 */
const [, , what, databaseUrl] = process.argv;
const serve = { quiesce: serveQuiesce, raw: serveRaw, "raw-sql": serveRawSql, unguarded: serveUnguarded }[what];
const served = await serve(databaseUrl);
console.log(served.url);

let used = process.cpuUsage();
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    if (line !== "cpu") served.broadcast(line);
    else {
      const { user, system } = process.cpuUsage(used);
      used = process.cpuUsage();
      console.log(String(user + system));
    }
  }
});
process.stdin.once("close", () => process.exit(0));

async function serveQuiesce(url) {
  const database = openDatabase(url, { max: 10, applicationName: "bench-live" });
  const bus = await startBackground(database);
  const http = createHttpServer({
    database,
    zones: packagedZoneData(),
    bus,
    log: { ...silent, warn: () => undefined },
    version: "bench",
    catalogue: { keys: { current: masterKeyOf(randomBytes(32)), previous: [] } },
    limits: { ...defaultApiLimits, callerRequestsPerSecond: 1e6, addressRequestsPerSecond: 1e6, callerCostPerMinute: 1e12 },
  });
  await http.start(0, "127.0.0.1");
  return { url: http.url, broadcast: () => undefined };
}

/** What every server does beside answering, whatever guards its answers. */
async function startBackground(database) {
  createSequencer(database, silent).start();
  const bus = createLiveBus(database, silent);
  await bus.start();
  return bus;
}

/**
 * Schema, resolvers, yoga and HTTP as they are, for one admin who is always the same: no token is recognised, no rule asked, no operation weighed, no
 * budget charged, nothing watched. What is left of the limits is kept with the parsed document, and costs nothing from its second request on.
 */
async function serveUnguarded(url) {
  const database = openDatabase(url, { max: 10, applicationName: "bench-unguarded" });
  const bus = await startBackground(database);
  const build = builder.toSchema.bind(builder);
  builder.toSchema = (options) => build({ ...options, disableScopeAuth: true, complexity: { disabled: true } });
  const documents = createPersistedDocuments({ documents: new Map(), only: false });
  const visible = createVisibleDatabases(database);
  const api = createApi({ database, visible, documents, bus, zones: packagedZoneData(), log: silent, version: "bench", catalogue: {} });
  const grants = [{ role: "admin", scope: { kind: "all" } }];
  const caller = { credential: "token:1", principalId: 1, principal: { name: "bench", grants }, expiresAt: null };
  const stream = { api, limits: defaultApiLimits };
  const server = createServer((request, response) => {
    serveGraphql({ stream, request, response, url: new URL(request.url, "http://bench"), caller }).catch((error) =>
      response.destroy(error),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, broadcast: () => undefined };
}

async function serveRaw() {
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await new Promise((resolve) => sockets.once("listening", resolve));
  const broadcast = (text) => {
    const bytes = Buffer.from(text);
    for (const client of sockets.clients) client.send(bytes, { binary: false });
  };
  return { url: `http://127.0.0.1:${sockets.address().port}`, broadcast };
}

async function serveRawSql(url) {
  const { sql } = openDatabase(url, { max: 10, applicationName: "bench-raw-sql" });
  const server = createServer(async (_request, response) => {
    const rows = await sql`
      select i.id, i.key, i.name, i.owner_team as "ownerTeam", i.criticality, to_jsonb(r) as "lastRun", h.holds
      from (select * from integration order by key limit 50) as i
      left join lateral (
        select r.id, r.state, r.due_at as "dueAt", r.started_at as "startedAt", r.finished_at as "finishedAt" from run as r
        where r.integration_id = i.id and r.started_at is not null order by r.due_at desc limit 1) as r on true
      left join lateral (
        select coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'owner', h.owner, 'reason', h.reason, 'expiresAt', h.expires_at)), '[]') as holds
        from hold_member as m join hold as h on h.id = m.hold_id where m.integration_id = i.id and m.begins_at <= app_now() and m.released_at is null) as h on true
      order by i.key`;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(rows));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, broadcast: () => undefined };
}
