import { createServer } from "node:http";
import pg from "pg";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { answerCpu } from "./answer-cpu.mjs";

/** `postgraphile-server.mjs <database>`: the dashboard's query by PostGraphile, over views of the same tables and functions for what is computed; without anything that guards it. */
const [, , connectionString] = process.argv;
const client = new pg.Client({ connectionString });
await client.connect();
await client.query(`
  drop schema if exists peer cascade;
  create schema peer;
  create view peer.integration as select id, key, name, owner_team, criticality from integration;
  create view peer.run as select id, integration_id, state, due_at, started_at, finished_at from run;
  create view peer.hold as select h.id, coalesce(w.title, 'Paused by hand') as title, h.owner, h.reason, h.expires_at
    from hold as h left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id;
  comment on view peer.integration is E'@primaryKey id';
  comment on view peer.run is E'@primaryKey id';
  comment on view peer.hold is E'@primaryKey id';
  create function peer.integration_last_run(i peer.integration) returns peer.run language sql stable as $$
    select r.* from peer.run as r where r.integration_id = i.id and r.started_at is not null and r.due_at >= now() - interval '2 days'
    order by r.due_at desc limit 1 $$;
  create function peer.integration_holds(i peer.integration) returns setof peer.hold language sql stable as $$
    select h.* from peer.hold as h join hold_member as m on m.hold_id = h.id where m.integration_id = i.id and m.released_at is null
    order by m.begins_at, h.id $$;
  comment on function peer.integration_holds(peer.integration) is E'@behavior -connection +list';`);
await client.end();

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["peer"], poolConfig: { max: 10 } })],
  grafserv: { graphiql: false, watch: false },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
answerCpu(`http://127.0.0.1:${server.address().port}`);
