import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagedZoneData } from "@quiesce/core";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fillEveryTable } from "../../../../test/database/fill-every-table.js";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { createToken } from "../access/tokens.js";
import { type App, createApp } from "../app.js";
import { applyWorkspace } from "../catalog/commands.js";
import type { Output } from "../cli/cli.js";
import { readCliEnvironment } from "../cli/environment.js";
import { stylesOf } from "../cli/output/styles.js";
import { runCli } from "../cli/run-cli.js";
import { clock } from "../clock.js";
import { type CommandContext, systemActor } from "../command.js";
import { readConfig } from "../config.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { encodeCursor } from "../events/event-log.js";
import { createSequencer } from "../events/sequencer.js";
import { version } from "../version.js";
import { expandWindows } from "../windows/expand.js";
import { pause } from "../windows/hold-commands.js";
import type { BackupSecret } from "./backup-key.js";
import { restoreBackup } from "./restore-backup.js";
import { verifyBackup } from "./verify-backup.js";
import { writeBackup, type WrittenBackup } from "./write-backup.js";

const secret: BackupSecret = { from: "key-file", key: randomBytes(32) };
const masterKey = masterKeyOf(randomBytes(32));
const silent = (): void => undefined;

const deadWorker = randomUUID();
let source: FreshDatabase;
let database: Database;
let folder: string;
let file: string;
let written: WrittenBackup;
let unfilled: ReadonlyMap<string, string>;
let token: string;
const drops: FreshDatabase[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-backup-"));
  file = join(folder, "a.backup");
  source = await freshDatabase();
  database = openDatabase(source.url, { max: 4, applicationName: "backup-test" });
  const context: CommandContext = { database, zones: packagedZoneData(), actor: systemActor };
  const keys = { current: masterKey, previous: [] };
  await applyWorkspace(
    { ...context, keys },
    {
      quiesce: 1,
      systems: [{ key: "erp" }, { key: "shop" }],
      endpoints: [{ key: "api", system: "erp", connector: "http", allowPrivate: ["erp.example.lan"] }],
      integrations: [
        { key: "orders", via: ["erp"] },
        { key: "stock", via: ["shop"] },
      ],
      jobs: [
        { key: "orders-often", integration: "orders", schedule: { every: "1m" } },
        { key: "orders-by-hand", integration: "orders" },
      ],
    },
  );
  token = (await createToken({ ...context }, { name: "restorer", role: "admin" })).secret;
  await expandWindows(context);
  const today = await database.sql<
    { day: string }[]
  >`select ensure_day_partition('run', current_date), ensure_day_partition('event_log', current_date)`;
  expect(today).toHaveLength(1);
  await pause(context, { scope: { integrations: ["stock"] }, until: null, reason: "before" });
  await database.sql`insert into system_dependency (system_id, depends_on_id, strength) select a.id, b.id, 'soft' from system as a, system as b where a.key = 'erp' and b.key = 'shop'`;
  // A run that is under way when the backup is made, by a worker that nobody will hear of again.
  await database.sql`insert into worker (id, name, lease_until) values (${deadWorker}, 'of before', app_now() - interval '1 hour')`;
  await database.sql`
    with due as (select date_trunc('milliseconds', app_now()) as at), made as (
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, attempt, worker_id, started_at)
      select new_run_id(due.at), due.at, due.at, j.id, i.id, i.bucket, 'manual', 'running', due.at, 1, ${deadWorker}, due.at
      from due, job as j join integration as i on i.id = j.integration_id where j.key = 'orders-by-hand' returning id)
    update job set running_run_id = made.id from made where key = 'orders-by-hand'`;
  unfilled = await fillEveryTable(database.sql);
  written = await writeBackup({ databaseUrl: source.url, file, secret, masterKey, withMasterKey: false, onTable: silent });
}, 300_000);

afterAll(async () => {
  await database?.close();
  await source?.drop();
  for (const one of drops) await one.drop();
  await rm(folder, { recursive: true, force: true });
});

async function target(options: { readonly empty: boolean }): Promise<FreshDatabase> {
  const fresh = await freshDatabase(options);
  drops.push(fresh);
  return fresh;
}

const restore = (databaseUrl: string, more: { readonly replace?: boolean; readonly file?: string } = {}) =>
  restoreBackup({ databaseUrl, file, secret, replace: false, log: silent, ...more });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe("a backup", () => {
  it("holds every table with facts, and says what", async () => {
    expect([...unfilled]).toEqual([]);
    const { manifest } = await verifyBackup(file, secret);
    const tables = await database.sql<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`;
    const absent = tables.map(({ name }) => name).filter((name) => !manifest.tables.some((table) => table.name === name));
    expect(absent.toSorted()).toEqual([
      "agenda_job",
      "alert_look",
      "alert_news",
      "reconciliation_entry",
      "schema_migration",
      "session",
      "sign_in_attempt",
      "sign_in_link",
    ]);
    expect(written.tables.filter(({ rows }) => rows === 0)).toEqual([]);
    expect([manifest.masterKeyId, manifest.masterKey]).toEqual([masterKey.id, undefined]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("has the master key in it only if that is ordered", async () => {
    const other = join(folder, "with-key.backup");
    await writeBackup({ databaseUrl: source.url, file: other, secret, masterKey, withMasterKey: true, onTable: silent });
    expect((await verifyBackup(other, secret)).manifest.masterKey).toBe(masterKey.key.toString("base64"));
    for (const path of [file, other]) {
      const bytes = await readFile(path);
      expect(bytes.includes(masterKey.key) || bytes.includes(masterKey.key.toString("base64")) || bytes.includes("orders")).toBe(false);
    }
  });

  it("is of one moment, whatever is written meanwhile", async () => {
    const other = join(folder, "moment.backup");
    let isFirst = true;
    const rows = new Map<string, number>();
    await writeBackup({
      databaseUrl: source.url,
      file: other,
      secret,
      masterKey: null,
      withMasterKey: false,
      onTable: (sum) => {
        rows.set(sum.table, sum.rows);
        if (isFirst)
          void database.sql`insert into audit_entry (actor, action, subject_kind, subject_key) select 'x', 'y', 'z', n from generate_series(1, 500) as n`.execute();
        isFirst = false;
      },
    });
    expect(rows.get("audit_entry")).toBe(written.tables.find(({ table }) => table === "audit_entry")?.rows);
  });

  it("is opened by its passphrase alone", async () => {
    const other = join(folder, "passphrase.backup");
    const passphrase = "correct horse battery staple";
    const options = { databaseUrl: source.url, file: other, masterKey: null, withMasterKey: false, onTable: silent };
    expect(await codeOf(writeBackup({ ...options, secret: { from: "passphrase", passphrase: "short" } }))).toMatch(
      /^QSC_BACKUP_KEY: .*5 characters/,
    );
    await writeBackup({ ...options, secret: { from: "passphrase", passphrase } });
    expect((await verifyBackup(other, { from: "passphrase", passphrase })).summary.tables.length).toBeGreaterThan(20);
    expect(await codeOf(verifyBackup(other, { from: "passphrase", passphrase: `${passphrase}r` }))).toMatch(
      /^QSC_BACKUP_KEY: .*not the one/,
    );
    expect(await codeOf(verifyBackup(other, secret))).toMatch(/^QSC_BACKUP_KEY: .*made with a passphrase/);
  });
});

describe("a backup that is not as it was written", () => {
  let whole: Buffer;
  /** Where frames begin and end. */
  let frames: { readonly begin: number; readonly end: number }[];

  beforeAll(async () => {
    // Frames of noise, or all would fit into one.
    await database.sql`insert into audit_entry (actor, action, subject_kind, subject_key)
      select 'x', 'noise', 'z', md5(n::text) || md5(random()::text) || md5(random()::text) from generate_series(1, 4000) as n`;
    const large = join(folder, "large.backup");
    await writeBackup({ databaseUrl: source.url, file: large, secret, masterKey: null, withMasterKey: false, onTable: silent });
    whole = await readFile(large);
    frames = [];
    for (let at = whole.indexOf("\n", "quiesce-backup\n".length) + 1; at < whole.length;) {
      const end = at + 4 + (whole.readUInt32BE(at) & 0x7fff_ffff) + 16;
      frames.push({ begin: at, end });
      at = end;
    }
    expect(frames.length).toBeGreaterThan(3);
  });

  const verified = async (bytes: Buffer): Promise<string> => {
    const path = join(folder, "changed.backup");
    await writeFile(path, bytes);
    return codeOf(verifyBackup(path, secret));
  };
  const frame = (index: number): Buffer => whole.subarray(frames[index]?.begin, frames[index]?.end);

  it("is refused where it was cut off, in a frame and between two", async () => {
    expect(await verified(whole)).toBe("no error");
    for (const end of [whole.length - 1, frames[2]?.end ?? 0, (frames[1]?.begin ?? 0) + 10, frames[0]?.begin ?? 0])
      expect(await verified(whole.subarray(0, end)), String(end)).toMatch(/^QSC_BACKUP_TRUNCATED/);
  });

  it("is refused for one bit, wherever it is", async () => {
    for (const at of [frames[0]?.begin ?? 0, (frames[1]?.begin ?? 0) + 9, (frames[2]?.end ?? 0) - 1, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await verified(changed), String(at)).toMatch(/^QSC_BACKUP_(DAMAGED|TRUNCATED)/);
    }
    const header = Buffer.from(whole.toString("latin1").replace('"frameBytes":65536', '"frameBytes":65537'), "latin1");
    expect(await verified(header)).toMatch(/^QSC_BACKUP_DAMAGED/);
  });

  it("is refused when frames change places, repeat or are left out, or when something follows", async () => {
    const head = whole.subarray(0, frames[0]?.begin);
    const rest = (from: number): Buffer => whole.subarray(frames[from]?.begin);
    expect(await verified(Buffer.concat([head, frame(1), frame(0), rest(2)]))).toMatch(/^QSC_BACKUP_DAMAGED: Frame 0/);
    expect(await verified(Buffer.concat([head, frame(0), frame(0), rest(1)]))).toMatch(/^QSC_BACKUP_DAMAGED: Frame 1/);
    expect(await verified(Buffer.concat([head, frame(0), rest(2)]))).toMatch(/^QSC_BACKUP_DAMAGED: Frame 1/);
    expect(await verified(Buffer.concat([whole, frame(0)]))).toMatch(/^QSC_BACKUP_DAMAGED: .*goes on/);
    expect(await verified(Buffer.from("something else"))).toMatch(/^QSC_BACKUP_NOT_ONE/);
  });

  it("leaves the database untouched", async () => {
    const empty = await target({ empty: true });
    const path = join(folder, "cut.backup");
    await writeFile(path, whole.subarray(0, whole.length - 1));
    expect(await codeOf(restore(empty.url, { file: path }))).toMatch(/^QSC_BACKUP_TRUNCATED/);
    expect(await tablesOf(empty.url)).toBe(0);
  });
});

async function tablesOf(url: string): Promise<number> {
  const other = openDatabase(url, { max: 1, applicationName: "look" });
  try {
    const [row] = await other.sql<
      { n: number }[]
    >`select count(*)::integer as n from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`;
    return row?.n ?? -1;
  } finally {
    await other.close();
  }
}

describe("a restored database", () => {
  it("is equal by the digest of every table, and refuses to be filled again", async () => {
    const empty = await target({ empty: true });
    const { holdId, rows } = await restore(empty.url);
    expect(rows).toBe(written.tables.reduce((sum, table) => sum + table.rows, 0));
    const again = join(folder, "again.backup");
    const second = await writeBackup({
      databaseUrl: empty.url,
      file: again,
      secret,
      masterKey: null,
      withMasterKey: false,
      onTable: silent,
    });
    // What a restore itself writes: the hold, that it happened, and another epoch.
    const changed = second.tables.filter((sum) => written.tables.find(({ table }) => table === sum.table)?.digest !== sum.digest);
    expect(changed.map(({ table }) => table).toSorted()).toEqual(["audit_entry", "control", "event_inbox", "hold", "hold_member"]);
    expect(await codeOf(restore(empty.url))).toMatch(/^QSC_RESTORE_NOT_EMPTY: .*--replace/);
    const look = openDatabase(empty.url, { max: 1, applicationName: "look" });
    expect(await codeOf(restore(empty.url, { replace: true }))).toBe("no error");
    await look.sql`select 1`;
    expect(await codeOf(restore(empty.url, { replace: true }))).toMatch(/^QSC_RESTORE_IN_USE: .*look/);
    await look.close();
    expect(holdId).toBeGreaterThan(0);
  });

  it("keeps what it had when a restore with --replace fails", async () => {
    const full = await target({ empty: false });
    const before = await tablesOf(full.url);
    const look = openDatabase(full.url, { max: 1, applicationName: "look" });
    await look.sql`insert into audit_entry (actor, action, subject_kind, subject_key) values ('mine', 'kept', 'x', 'y')`;
    await look.close();
    const broken = openDatabase(source.url, { max: 1, applicationName: "break" });
    const spoiled = join(folder, "spoiled.backup");
    try {
      // A row that the schema's own check refuses, as a fault of a disk would leave it.
      await broken.sql`alter table api_token drop constraint api_token_grants`;
      await broken.sql`update api_token set grants = '[]' where name = 'restorer'`;
      await writeBackup({ databaseUrl: source.url, file: spoiled, secret, masterKey: null, withMasterKey: false, onTable: silent });
    } finally {
      await broken.sql`update api_token set grants = '[{"role": "admin", "scope": {"kind": "all"}}]' where name = 'restorer'`;
      await broken.close();
    }
    expect(await codeOf(restore(full.url, { replace: true, file: spoiled }))).toMatch(/^QSC_RESTORE_DIFFERS: .*api_token/);
    expect(await tablesOf(full.url)).toBe(before);
    const after = openDatabase(full.url, { max: 1, applicationName: "look" });
    expect(await after.sql`select action from audit_entry where actor = 'mine'`).toEqual([{ action: "kept" }]);
    await after.close();
  });
});

describe("the command line", () => {
  it("makes, proves and restores a backup, and brings the master key only with one that holds it", async () => {
    const dataDir = join(folder, "elsewhere");
    const passphraseFile = join(folder, "passphrase");
    await writeFile(passphraseFile, "a passphrase of the operator\n");
    const path = join(folder, "cli.backup");
    const run = async (argv: readonly string[], environment: NodeJS.ProcessEnv) => {
      const said: string[] = [];
      const output: Output = {
        isTerminal: false,
        styles: stylesOf(false),
        columns: () => 100,
        rows: () => undefined,
        write: (text) => void said.push(text),
      };
      const input = { isTerminal: false, readAll: async () => "", ask: async () => "" };
      const surroundings = { environment: readCliEnvironment(environment, "/"), out: output, err: output, input, clock, version };
      return { code: await runCli([...argv, "--passphrase-file", passphraseFile], surroundings), said: said.join("") };
    };
    const here = { DATABASE_URL: source.url, QUIESCE_MASTER_KEY: masterKey.key.toString("base64"), QUIESCE_DATA_DIR: folder };
    expect(await run(["backup", "-o", path, "--with-master-key"], here)).toMatchObject({
      code: 0,
      said: expect.stringContaining("rows in"),
    });
    expect(await run(["backup", "-o", path], here)).toMatchObject({ code: 1, said: expect.stringContaining("QSC_BACKUP_FILE_EXISTS") });
    expect(await run(["backup", "verify", path], {})).toMatchObject({ code: 0, said: expect.stringContaining("with the master key") });
    const empty = await target({ empty: true });
    const restored = await run(["restore", path], { DATABASE_URL: empty.url, QUIESCE_DATA_DIR: dataDir });
    expect(restored).toMatchObject({ code: 0, said: expect.stringMatching(/quiesce resume \d+ --reason/) });
    expect((await readFile(join(dataDir, "master-key"), "utf8")).trim()).toBe(masterKey.key.toString("base64"));
    expect((await stat(join(dataDir, "master-key"))).mode & 0o777).toBe(0o600);
  });
});

describe("a server on a restored database", () => {
  it("starts, refuses old cursors, takes back what was running, holds everything, and goes on when somebody lets it go", async () => {
    const empty = await target({ empty: true });
    const sequencer = createSequencer(database, pino({ level: "silent" }));
    sequencer.start();
    await vi.waitFor(async () => expect(await database.sql`select from event_inbox`).toHaveLength(0), { timeout: 60_000 });
    await sequencer.stop();
    const [place] = await database.sql<{ epoch: string; position: number }[]>`
      select event_epoch::text as epoch, last_position as position from control, event_head`;
    const cursor = encodeCursor({ epoch: place?.epoch ?? "", position: Math.max(0, (place?.position ?? 0) - 1) });
    const { holdId } = await restore(empty.url);
    const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder });
    const app: App = await createApp({ config, databaseUrl: empty.url, connectors: [], log: pino({ level: "silent" }) });
    try {
      const ask = async (query: string): Promise<{ data?: Record<string, unknown>; errors?: unknown }> => {
        const response = await fetch(`${app.url}/graphql`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          body: JSON.stringify({ query }),
        });
        return (await response.json()) as { data?: Record<string, unknown> };
      };
      const stream = await fetch(`${app.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: `subscription { liveEvents(after: ${JSON.stringify(cursor)}) { cursor } }` }),
      });
      expect(await stream.text()).toContain("QSC_EVENTS_CURSOR_FOREIGN");
      const states = () => app.database.sql<{ state: string }[]>`
        select distinct r.state from run as r join job as j on j.id = r.job_id where j.key = 'orders-often'`;
      await app.database
        .sql`update job set next_due_at = app_now() - interval '1 minute', watermark = app_now() - interval '2 minutes' where key = 'orders-often'`;
      await vi.waitFor(async () => expect((await states()).map(({ state }) => state)).toContain("held"), {
        timeout: 60_000,
        interval: 200,
      });
      expect((await states()).map(({ state }) => state)).not.toContain("running");
      await vi.waitFor(
        async () => {
          const running = await app.database.sql`
            select r.state from run as r join job as j on j.id = r.job_id where j.key = 'orders-by-hand' and r.trigger = 'manual'`;
          expect(running).toEqual([{ state: "held" }]);
        },
        { timeout: 60_000, interval: 200 },
      );
      const held = await ask("{ holds { edges { node { key owner reason } } } }");
      expect(JSON.stringify(held)).toContain("restored from a backup");
      const resumed = await ask(`mutation { resume(input: { holdId: "${holdId}", reason: "looked" }) { released { key } } }`);
      expect(resumed.errors).toBeUndefined();
      // What then becomes of a run on a server without connectors is another matter.
      const heldByRestore = () => app.database.sql`select from run where state = 'held' and ${holdId}::bigint = any (held_by)`;
      await vi.waitFor(async () => expect(await heldByRestore()).toEqual([]), { timeout: 60_000, interval: 200 });
      const begun = () => app.database.sql`select from run where started_at > (select released_at from hold where id = ${holdId}::bigint)`;
      await vi.waitFor(async () => expect((await begun()).length).toBeGreaterThan(0), { timeout: 60_000, interval: 200 });
    } finally {
      await app.stop();
    }
  });
});
