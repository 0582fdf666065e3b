import { spawn } from "node:child_process";
import { chmod, chown, mkdtemp, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "./free-port.js";
import { isProcessAlive } from "./postmaster-file.js";
import { chooseServerAccount } from "./server-account.js";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./start-embedded-postgres.js";

const BINARIES = fileURLToPath(new URL("../../../../../node_modules/.cache/quiesce/", import.meta.url));

let dataDir: string;
let lines: string[];
let started: EmbeddedPostgres[];

const start = async (durable = false): Promise<EmbeddedPostgres> => {
  const server = await startEmbeddedPostgres({ dataDir, durable, binariesDir: BINARIES, log: (line) => lines.push(line) });
  started.push(server);
  return server;
};

const query = async (url: string, statement: string): Promise<readonly postgres.Row[]> => {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end({ timeout: 5 });
  }
};

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), `quiesce-test-${process.pid}-`));
  dataDir = join(root, "data");
  lines = [];
  started = [];
  // As root the server runs under another account, which must be able to enter.
  await chmod(root, 0o755);
});

afterEach(async () => {
  for (const server of started) await server.stop();
  await rm(join(dataDir, ".."), { recursive: true, force: true });
});

test("a lock whose process is about to end is waited for", async () => {
  const first = await start();
  await first.stop();
  const [name = ""] = (await readdir(first.dataDir)).filter((entry) => /^pg\d+$/.test(entry));
  const file = join(first.dataDir, name, "postmaster.pid");
  // As a killed server that nobody has looked for yet: its number is taken, and nothing answers on its port.
  const account = chooseServerAccount();
  const holder = spawn("sleep", ["2"], { stdio: "ignore", ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }) });
  await writeFile(file, `${holder.pid ?? 0}\n${join(first.dataDir, name)}\n1\n1\n\n127.0.0.1\n\nready   \n`);
  if (account !== undefined) await chown(file, account.uid, account.gid);
  const second = await start();
  expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(lines.filter((line) => line.includes("waiting for it to be gone"))).toHaveLength(1);
}, 300_000);

describe("the embedded PostgreSQL", () => {
  test("is UTF-8 in code point order, in UTC, on loopback only, with a password nobody else can read", async () => {
    const server = await start();
    const [row] = await query(
      server.url,
      `select current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone, current_setting('listen_addresses') as listen,
        current_setting('unix_socket_directories') as sockets, 'Z' < 'a' and 'z' < 'ä' as by_code_point, upper('ä') as upper`,
    );
    expect(row).toEqual({ encoding: "UTF8", zone: "UTC", listen: "127.0.0.1", sockets: "", by_code_point: true, upper: "Ä" });
    const [cluster] = (await readdir(server.dataDir)).filter((name) => /^pg\d+$/.test(name));
    const password = await stat(join(server.dataDir, cluster ?? "", "quiesce.password"));
    expect(password.mode & 0o777).toBe(0o600);
    await expect(query(server.url.replace(/:[^:@]+@/, ":wrong@"), "select 1")).rejects.toThrow(/password authentication failed/);
  });

  test("keeps its data over a stop and a start, and says what it does", async () => {
    const first = await start();
    await query(first.url, "create table kept as select 42 as answer");
    await first.stop();
    await first.stop();
    expect(isProcessAlive(first.pid)).toBe(false);
    const second = await start();
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    expect(lines.filter((line) => line.startsWith("Creating a PostgreSQL")).length).toBe(1);
    expect(lines[0]).toContain(await realpath(dataDir));
    expect(lines.join("\n")).not.toContain(new URL(first.url).password);
  });

  test("a second start on the same data shares the running server, and its stop leaves it running", async () => {
    const first = await start();
    const second = await start();
    expect([second.pid, second.url]).toEqual([first.pid, first.url]);
    await second.stop();
    expect(await query(first.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("two first starts at the same moment end with one cluster and one server", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(other.pid).toBe(one.pid);
    expect((await readdir(one.dataDir)).filter((name) => name.startsWith("pg")).toSorted()).toEqual(["pg18", "pg18.log"]);
  });

  test("tells when the server is killed, and recovers the data at the next start", async () => {
    const first = await start(true);
    await query(first.url, "create table kept as select 42 as answer");
    process.kill(first.pid, "SIGKILL");
    await first.exited;
    const second = await start();
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("a stale postmaster.pid that names a foreign living process stops nobody, neither it nor the start", async () => {
    const first = await start();
    await first.stop();
    const cluster = join(first.dataDir, "pg18");
    const refusing = await findFreePort();
    await writeFile(join(cluster, "postmaster.pid"), `1\n${cluster}\n1\n${refusing}\n\n127.0.0.1\n\nready   \n`);
    const second = await start();
    expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(isProcessAlive(1)).toBe(true);
  });

  test("data of a major version that is not installed is refused by name, not replaced by an empty database", async () => {
    const first = await start();
    await first.stop();
    await rename(join(first.dataDir, "pg18"), join(first.dataDir, "pg99"));
    await expect(start()).rejects.toMatchObject({ code: "QSC_DB_OTHER_MAJOR" });
    expect(await readdir(first.dataDir)).not.toContain("pg18");
  });
});
