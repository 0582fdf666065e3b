import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { masterKeyOf } from "../../packages/server/dist/credentials/master-key.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { createLiveBus } from "../../packages/server/dist/events/live-bus.js";
import { createSequencer } from "../../packages/server/dist/events/sequencer.js";
import { createHttpServer } from "../../packages/server/dist/http/create-http-server.js";
import { silent } from "./bench-server.mjs";

/**
 * A process of its own, so that its CPU is the server's alone. `quiesce <database>` serves the API, `raw` a bare ws server that sends each message it
 * is given to every client, `raw-sql <database>` a bare HTTP server that answers the dashboard's rows from one statement. On its standard input: `cpu` answers the microseconds of CPU used since the last time, anything else is broadcast (raw).
 */
const [, , what, databaseUrl] = process.argv;
const serve = { quiesce: serveQuiesce, raw: serveRaw, "raw-sql": serveRawSql }[what];
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
  const sequencer = createSequencer(database, silent);
  sequencer.start();
  const bus = createLiveBus(database, silent);
  await bus.start();
  const http = createHttpServer({
    database,
    zones: packagedZoneData(),
    bus,
    log: { ...silent, warn: () => undefined },
    version: "bench",
    catalogue: { keys: { current: masterKeyOf(randomBytes(32)), previous: [] } },
    callerLimit: { burst: 1_000_000, perSecond: 1_000_000 },
  });
  await http.start(0, "127.0.0.1");
  return { url: http.url, broadcast: () => undefined };
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
