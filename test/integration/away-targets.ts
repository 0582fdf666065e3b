import { createServer } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import amqp from "amqplib";
import mysql from "mysql2/promise";
import postgres from "postgres";
import { startMariadb } from "../systems/mariadb.js";
import { startNats } from "../systems/nats.js";
import { startPostgres } from "../systems/postgres.js";
import { startRabbitmq } from "../systems/rabbitmq.js";
import { startTryton } from "../systems/tryton.js";

/** One change that arrived at a target. */
export interface Arrival {
  readonly id: number;
  readonly revision: number;
}

/** A target that can be stopped and started. */
export interface AwayTarget {
  readonly name: string;
  readonly port: number;
  /** `config` and `secrets` of its endpoint, whose connector is called as the target; its stream is `target`. */
  readonly endpoint: object;
  /** If the target wants other fields than `id` and `revision`. */
  readonly mapping?: object;
  /**
   * How far its arrivals can be told apart: `log` has every one in order, `queue` too, but a repeated page comes twice, `state` has only the newest of
   * each key.
   */
  readonly keeps: "log" | "queue" | "state";
  /** How often its client dials in one call, at most; once when left out. */
  readonly dials?: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  remove(): Promise<void>;
  /** How many changes have arrived, with a connection of its own that is closed again. */
  arrived(): Promise<number>;
  arrivals(): Promise<readonly Arrival[]>;
}

const LOCAL = { host: "127.0.0.1", tls: "disable" };
const MESSAGE = { payload: "json", keyFields: ["id"] };

export async function awayNats(): Promise<AwayTarget> {
  const { server, user, password } = await startNats();
  const asked = async <T>(work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>): Promise<T> => {
    const connection = await connectNats({ servers: `127.0.0.1:${server.port}`, user, pass: password });
    try {
      return await work(await jetstreamManager(connection));
    } finally {
      await connection.close();
    }
  };
  const arrived = () => asked(async (manager) => (await manager.streams.info("target")).state.messages);
  await asked((manager) => manager.streams.add({ name: "target", subjects: ["target.*"], duplicate_window: 3_600_000_000_000 }));
  const write = { subject: "target.{key}", minDuplicateWindowSeconds: 600 };
  const streams = [{ name: "target", stream: "target", ...MESSAGE, write }];
  return {
    ...server,
    name: "nats",
    endpoint: { config: { ...LOCAL, port: server.port, user, streams }, secrets: { password: { value: password } } },
    keeps: "log",
    arrived,
    arrivals: async () => {
      const count = await arrived();
      return asked(async (manager) => {
        const found: Arrival[] = [];
        for (let seq = 1; seq <= count; seq += 1) {
          const message = await manager.streams.getMessage("target", { seq });
          if (message !== null) found.push(message.json<Arrival>());
        }
        return found;
      });
    },
  };
}

export async function awayRabbitmq(): Promise<AwayTarget> {
  const rabbitmq = await startRabbitmq();
  const { server, user, password } = rabbitmq;
  const asked = async <T>(work: (channel: amqp.Channel) => Promise<T>): Promise<T> => {
    const connection = await amqp.connect({ hostname: "127.0.0.1", port: server.port, username: user, password });
    try {
      return await work(await connection.createChannel());
    } finally {
      await connection.close();
    }
  };
  const arrived = () => asked(async (channel) => (await channel.checkQueue("target")).messageCount);
  await asked((channel) => channel.assertQueue("target", { durable: true }));
  const streams = [{ name: "target", ...MESSAGE, write: { routingKey: "target", repeats: "recognised" } }];
  return {
    ...server,
    name: "rabbitmq",
    endpoint: { config: { ...LOCAL, port: server.port, user, streams }, secrets: { password: { value: password } } },
    keeps: "queue",
    remove: () => rabbitmq.remove(),
    arrived,
    arrivals: () =>
      asked(async (channel) => {
        const found: Arrival[] = [];
        for (let message = await channel.get("target"); message !== false; message = await channel.get("target"))
          found.push(JSON.parse(message.content.toString("utf8")) as Arrival);
        return found;
      }),
  };
}

export async function awayPostgres(): Promise<AwayTarget> {
  const { server, user, password, database } = await startPostgres();
  const asked = async <T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
    const sql = postgres({ host: "127.0.0.1", port: server.port, user, password, database, max: 1, onnotice: () => undefined });
    try {
      return await work(sql);
    } finally {
      await sql.end({ timeout: 5 });
    }
  };
  // A revision that is written once more is no arrival: that a write may be repeated is what its key is for.
  await asked((sql) =>
    sql.unsafe(`create table target (id bigint primary key, revision integer); create table arrival (n bigserial, id bigint, revision integer);
      create function note() returns trigger language plpgsql as 'begin insert into arrival (id, revision) values (new.id, new.revision); return null; end';
      create trigger created after insert on target for each row execute function note();
      create trigger changed after update on target for each row when (old.revision is distinct from new.revision) execute function note();`),
  );
  const streams = [{ name: "target", table: "target", key: ["id"] }];
  const config = { host: "127.0.0.1", port: server.port, database, user, ssl: "disable", streams };
  return {
    ...server,
    name: "postgres",
    // postgres.js dials again until the call's time is over, ever later: after 0.01 s, then three times as long each time.
    dials: 8,
    endpoint: { config, secrets: { password: { value: password } } },
    keeps: "log",
    arrived: () => asked(async (sql) => Number((await sql`select count(*) as n from arrival`)[0]?.["n"])),
    arrivals: () => asked(async (sql) => [...(await sql<Arrival[]>`select id::integer as id, revision from arrival order by n`)]),
  };
}

export async function awayMariadb(): Promise<AwayTarget> {
  const { server, user, password, admin } = await startMariadb({ tls: false });
  const asked = async (statements: string): Promise<readonly unknown[]> => {
    const at = { host: "127.0.0.1", port: server.port, ...admin, database: "shop", multipleStatements: true };
    const connection = await mysql.createConnection(at);
    try {
      return (await connection.query(statements))[0] as unknown[];
    } finally {
      await connection.end();
    }
  };
  await asked(`create table target (id bigint primary key, revision integer);
    create table arrival (n bigint auto_increment primary key, id bigint, revision integer);
    create trigger created after insert on target for each row insert into arrival (id, revision) values (new.id, new.revision);
    create trigger changed after update on target for each row insert into arrival (id, revision) select new.id, new.revision where not new.revision <=> old.revision;`);
  const streams = [{ name: "target", table: "target", key: ["id"] }];
  return {
    ...server,
    name: "mariadb",
    endpoint: { config: { ...LOCAL, port: server.port, database: "shop", user, streams }, secrets: { password: { value: password } } },
    keeps: "log",
    arrived: async () => (await asked("select id from arrival")).length,
    arrivals: async () => (await asked("select id, revision from arrival order by n")) as Arrival[],
  };
}

export async function awayTryton(): Promise<AwayTarget> {
  const tryton = await startTryton({ parties: 0 });
  const { url, database, user, password } = tryton;
  const streams = [{ name: "target", model: "party.party", fields: ["code", "name"], codeField: "code" }];
  const arrivals = async (): Promise<readonly Arrival[]> => {
    const printed = await tryton.run(`import json
print('FOUND', json.dumps([{'id': int(p.code), 'revision': int(p.name)} for p in Party.search([])]))`);
    return JSON.parse(/FOUND (.*)/u.exec(printed)?.[1] ?? "[]") as Arrival[];
  };
  return {
    name: "tryton",
    port: Number(new URL(url).port),
    endpoint: { config: { url, database, user, streams }, secrets: { password: { value: password } } },
    mapping: { key: "code", fields: { code: { from: "id", cast: "string" }, name: { from: "revision", cast: "string" } } },
    keeps: "state",
    start: () => tryton.start(),
    stop: () => tryton.stop(),
    remove: () => tryton.remove(),
    arrived: async () => (await arrivals()).reduce((sum, { revision }) => sum + revision, 0),
    arrivals,
  };
}

/** Takes a stopped server's place: counts who connects, and hangs up. */
export async function nobodyAt(port: number): Promise<{ readonly connects: () => number; readonly end: () => Promise<void> }> {
  let connects = 0;
  const nobody = createServer((socket) => {
    connects += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => nobody.once("error", reject).listen(port, "127.0.0.1", resolve));
  return { connects: () => connects, end: () => new Promise((resolve) => nobody.close(() => resolve())) };
}
