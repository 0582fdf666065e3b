import { randomBytes } from "node:crypto";
import { postgresConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import postgres from "postgres";
import { afterAll, beforeAll, describe, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";

interface Tables {
  readonly sql: postgres.Sql;
}

const suffix = randomBytes(4).toString("hex");
const roles = { a: `conform_a_${suffix}`, b: `conform_b_${suffix}`, rotator: `conform_r_${suffix}` };
let database: FreshDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  await sql.unsafe(`create role ${roles.a}; create role ${roles.b};
    create role ${roles.rotator} login createrole password 'turner'; grant ${roles.a}, ${roles.b} to ${roles.rotator} with admin option`);
});
afterAll(async () => {
  await sql.unsafe(`drop table if exists orders, written; drop role ${roles.rotator}, ${roles.a}, ${roles.b}`);
  await sql.end();
  await database.drop();
});

/** Two empty tables, and two roles of which the second may only read. */
async function beginAnew(): Promise<void> {
  await sql.unsafe(`
    drop table if exists orders, written;
    create table orders (id bigint primary key, changed_at timestamptz(6) not null, n integer not null);
    create table written (id text primary key, n integer not null check (n < 1000));
    grant select on orders, written to ${roles.a}, ${roles.b};
    grant insert, update, delete on written to ${roles.a};
    alter role ${roles.a} login password 'first'; alter role ${roles.b} login password 'reader';
    comment on role ${roles.a} is null; comment on role ${roles.b} is null`);
}

conformance(postgresConnector, {
  describe,
  it,
  server: real<Tables>({
    proxy: true,
    start: async () => {
      await beginAnew();
      return { url: database.url, system: { sql }, stop: async () => undefined };
    },
  }),
  config: {
    valid: ({ url }) => {
      const { hostname: host, port, pathname } = new URL(url);
      return {
        host,
        port: Number(port),
        database: pathname.slice(1),
        user: roles.a,
        rotation: { roles: [roles.a, roles.b], as: roles.rotator },
        ssl: "disable",
        connectTimeoutSeconds: 1,
        streams: [
          { name: "orders", table: "orders", key: ["id"], cursorColumn: "changed_at", overlapSeconds: 0 },
          { name: "written", table: "written", key: ["id"] },
        ],
      };
    },
    invalid: [{}, { host: "x", database: "d", user: "u", streams: [] }],
  },
  secrets: {
    valid: { password: "first", rotatorPassword: "turner" },
    wrong: { password: "wrong", rotatorPassword: "turner" },
    readOnly: { password: "reader", turn: "b" },
  },
  read: {
    stream: "orders",
    clock: "real",
    seed: async (_tables, rows) => {
      for (const { id, at, n } of rows)
        await sql`insert into orders values (${id}, ${at.toISOString()}, ${n})
          on conflict (id) do update set changed_at = excluded.changed_at, n = excluded.n`;
    },
    remove: async (_tables, id) => void (await sql`delete from orders where id = ${id}`),
  },
  write: {
    stream: "written",
    item: (n) => ({ key: `order ${n}`, data: { n } }),
    bad: (n) => ({ key: `order ${n}`, data: { n: 5000 } }),
    stored: async () => (await sql<{ id: string }[]>`select id from written`).map(({ id }) => id),
    deletes: true,
  },
  reconcile: { fields: ["n"], data: ({ n }) => ({ n }) },
});
