import { mariadbConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, it } from "vitest";
import { MARIADB, startMariadb, type Mariadb } from "./mariadb.js";
import { suiteRuns } from "./server-process.js";

describe.runIf(suiteRuns("MariaDB", MARIADB))("the contract of connectors, kept by mariadb on a real MariaDB", () => {
  let mariadb: Mariadb;
  let sql: mysql.Connection;

  beforeAll(async () => {
    mariadb = await startMariadb();
    const { server, admin } = mariadb;
    sql = await mysql.createConnection({
      host: "127.0.0.1",
      port: server.port,
      ...admin,
      database: "shop",
      multipleStatements: true,
      timezone: "Z",
    });
    await sql.query("set time_zone = '+00:00'");
  });
  afterAll(async () => {
    await sql?.end();
    await mariadb?.server.remove();
  });

  /** Two empty tables. */
  async function beginAnew(): Promise<void> {
    await sql.query(`
      drop table if exists orders, written;
      create table orders (id bigint primary key, changed_at timestamp(6) not null default '2026-01-01', n int not null);
      create table written (id varchar(50) primary key, n int not null check (n < 1000))`);
  }

  conformance(mariadbConnector, {
    describe,
    it,
    server: real<{ readonly sql: mysql.Connection }>({
      proxy: true,
      start: async () => {
        await beginAnew();
        return { url: `mysql://127.0.0.1:${mariadb.server.port}`, system: { sql }, stop: async () => undefined };
      },
    }),
    config: {
      valid: ({ url }) => ({
        host: new URL(url).hostname,
        port: Number(new URL(url).port),
        database: "shop",
        user: "quiesce",
        tls: "disable",
        connectTimeoutSeconds: 1,
        streams: [
          { name: "orders", table: "orders", key: ["id"], cursorColumn: "changed_at", overlapSeconds: 0 },
          { name: "written", table: "written", key: ["id"] },
        ],
      }),
      invalid: [{}, { host: "x", database: "d", user: "u", streams: [] }],
    },
    secrets: { valid: { password: "pass'word\\" }, wrong: { password: "wrong-password" } },
    read: {
      stream: "orders",
      clock: "real",
      seed: async (_system, rows) => {
        for (const { id, at, n } of rows) {
          await sql.query("insert into orders values (?, ?, ?) on duplicate key update changed_at = values(changed_at), n = values(n)", [
            id,
            at.toISOString().slice(0, 23).replace("T", " "),
            n,
          ]);
        }
      },
      remove: async (_system, id) => void (await sql.query("delete from orders where id = ?", [id])),
    },
    write: {
      stream: "written",
      item: (n) => ({ key: `order ${n}`, data: { n } }),
      bad: (n) => ({ key: `order ${n}`, data: { n: 5000 } }),
      stored: async () => (await sql.query<mysql.RowDataPacket[]>("select id from written"))[0].map(({ id }) => String(id)),
      deletes: true,
    },
  });
});
