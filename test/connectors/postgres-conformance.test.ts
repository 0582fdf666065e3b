import { randomBytes } from "node:crypto";
import { postgresConnector } from "@quiesce/connectors";
import { conformance, real, type TestRunner } from "@quiesce/sdk/testing";
import postgres from "postgres";
import { afterAll, beforeAll, describe, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";

/** What one case has for itself: two empty tables in a schema, and two roles of which the second may only read. */
interface Tables {
  readonly schema: string;
  readonly roles: readonly [string, string];
}

const suffix = randomBytes(4).toString("hex");
const rotator = `conform_r_${suffix}`;
let database: FreshDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  await sql.unsafe(`create role ${rotator} login createrole password 'turner'`);
});
afterAll(async () => {
  await sql.unsafe(`drop role ${rotator}`);
  await sql.end();
  await database.drop();
});

let starts = 0;

/** Roles belong to the whole cluster, so they too have names of their own. */
async function begin(): Promise<Tables> {
  starts += 1;
  const schema = `conform_${suffix}_${starts}`;
  const [a, b] = [`${schema}_a`, `${schema}_b`] as const;
  await sql.unsafe(`
    create schema ${schema};
    create table ${schema}.orders (id bigint primary key, changed_at timestamptz(6) not null, n integer not null);
    create table ${schema}.written (id text primary key, n integer not null check (n < 1000));
    create role ${a} login password 'first'; create role ${b} login password 'reader';
    grant usage on schema ${schema} to ${a}, ${b};
    grant select on ${schema}.orders, ${schema}.written to ${a}, ${b};
    grant insert, update, delete on ${schema}.written to ${a};
    grant ${a}, ${b} to ${rotator} with admin option`);
  return { schema, roles: [a, b] };
}

async function end({ schema, roles }: Tables): Promise<void> {
  await sql.unsafe(`drop schema ${schema} cascade; drop role ${roles.join(", ")}`);
}

/** Cases that are silence for the most part. Each has tables and roles of its own, so they wait beside one another. */
const WAITING = [
  "a connection that is cut anywhere is unavailable",
  "no answer in time is timeout",
  "what is not in doubt when the connection is lost was not applied",
];
const waiting: Parameters<TestRunner["it"]>[] = [];
const runner: TestRunner = {
  describe,
  it: (...one) => (WAITING.some((what) => one[0].endsWith(what)) ? waiting.push(one) : it(...one)),
};

conformance(postgresConnector, {
  ...runner,
  server: real<Tables>({
    proxy: true,
    start: async () => {
      const system = await begin();
      return { url: database.url, system, stop: () => end(system) };
    },
  }),
  config: {
    valid: ({ url, system: { schema, roles } }) => {
      const { hostname: host, port, pathname } = new URL(url);
      return {
        host,
        port: Number(port),
        database: pathname.slice(1),
        user: roles[0],
        rotation: { roles, as: rotator },
        ssl: "disable",
        connectTimeoutSeconds: 1,
        streams: [
          { name: "orders", schema, table: "orders", key: ["id"], cursorColumn: "changed_at", overlapSeconds: 0 },
          { name: "written", schema, table: "written", key: ["id"] },
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
    seed: async ({ schema }, rows) => {
      for (const { id, at, n } of rows)
        await sql`insert into ${sql(schema)}.orders values (${id}, ${at.toISOString()}, ${n})
          on conflict (id) do update set changed_at = excluded.changed_at, n = excluded.n`;
    },
    remove: async ({ schema }, id) => void (await sql`delete from ${sql(schema)}.orders where id = ${id}`),
  },
  write: {
    stream: "written",
    item: (n) => ({ key: `order ${n}`, data: { n } }),
    bad: (n) => ({ key: `order ${n}`, data: { n: 5000 } }),
    stored: async ({ schema }) => (await sql<{ id: string }[]>`select id from ${sql(schema)}.written`).map(({ id }) => id),
    deletes: true,
  },
  reconcile: { fields: ["n"], data: ({ n }) => ({ n }) },
});

describe.concurrent("postgres conforms while nothing is heard", () => {
  for (const one of waiting) it(...one);
});
