import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstPartyConnectors } from "@quiesce/connectors";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../../test/database/fresh-database.js";
import { type App, createApp } from "../../app.js";
import { clock } from "../../clock.js";
import { readConfig } from "../../config.js";
import { version } from "../../version.js";
import { csvLine } from "../../csv-text.js";
import type { Output } from "../cli.js";
import { readCliEnvironment } from "../environment.js";
import { stylesOf } from "../output/styles.js";
import { runCli } from "../run-cli.js";

// The command line against the real server, which seals by itself.
let fresh: FreshDatabase;
let app: App;
let folder: string;
let headFile: string;

beforeAll(async () => {
  fresh = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), "quiesce-audit-"));
  headFile = join(folder, "heads.jsonl");
  const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder, QUIESCE_AUDIT_HEAD_FILE: headFile });
  app = await createApp({ config, databaseUrl: fresh.url, connectors: firstPartyConnectors, log: pino({ level: "silent" }) });
  for (const name of ["ada", "=cmd|' /C calc'!A0", "ben"]) await quiesce("token", "create", "--name", name, "--role", "viewer");
  await quiesce("token", "revoke", "2", "-r", "left the company");
  await sealed();
});
afterAll(async () => {
  await app?.stop();
  await fresh?.drop();
  await rm(folder, { recursive: true, force: true });
});

const sealed = () =>
  vi.waitFor(async () => expect(await app.database.sql`select from audit_entry where position is null`).toHaveLength(0), {
    timeout: 60_000,
  });
const path = (name: string) => join(folder, name);

async function quiesce(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const texts = { out: "", err: "" };
  const output = (name: "out" | "err"): Output => ({
    isTerminal: false,
    styles: stylesOf(false),
    columns: () => undefined,
    rows: () => undefined,
    write: (more) => void (texts[name] += more),
  });
  const code = await runCli(args, {
    environment: readCliEnvironment({ QUIESCE_URL: app.url, QUIESCE_TOKEN: app.firstToken ?? "", XDG_CACHE_HOME: folder }, folder),
    out: output("out"),
    err: output("err"),
    input: { isTerminal: false, readAll: async () => "", ask: async () => "" },
    clock,
    version,
  });
  return { code, ...texts };
}
const bySql = (statement: string) =>
  app.database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(statement);
  });
const lines = async (file: string) => (await readFile(file, "utf8")).trimEnd().split("\n");

describe("quiesce audit", () => {
  it("list finds entries by subject, actor, action and time", async () => {
    const { out } = await quiesce("audit", "list", "--subject", "token:2", "--action", "token.revoke", "--since", "1h");
    expect(out).toMatch(/token:first-admin +token\.revoke +token:2 +left the company/);
    expect(
      JSON.parse((await quiesce("audit", "list", "--actor", "system:quiesce", "--action", "token.create", "--json")).out),
    ).toHaveLength(1);
    expect((await quiesce("audit", "list", "--until", "1h")).err).toMatch(/No entry fits/);
  });

  it("verify says that the trail is whole, and how far", async () => {
    expect(await quiesce("audit", "verify")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^The audit trail is whole: \d+ entries, up to position \d+/),
    });
  });

  it("export makes a file that is checked without the server, and whose every change is found", async () => {
    const file = path("export.jsonl");
    expect((await quiesce("audit", "export", "-o", file)).code).toBe(0);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await quiesce("audit", "verify", "-f", file)).toMatchObject({ code: 0, out: expect.stringContaining("whole") });
    const good = await lines(file);
    const at = good.findIndex((line) => line.includes("token.revoke"));
    const broken: Record<string, readonly string[]> = {
      changed: good.with(at, (good[at] ?? "").replace("left the company", "was thrown out")),
      missing: good.toSpliced(at, 1),
      exchanged: good.with(at, good[at - 1] ?? "").with(at - 1, good[at] ?? ""),
      "cut off": good.slice(0, -1),
      "cut off before its end": good.toSpliced(-2, 1),
    };
    for (const [name, text] of Object.entries(broken)) {
      await writeFile(path("broken.jsonl"), `${text.join("\n")}\n`);
      expect((await quiesce("audit", "verify", "-f", path("broken.jsonl"))).code, name).toBe(1);
    }
    await writeFile(path("other.jsonl"), "{}\n");
    expect((await quiesce("audit", "verify", "-f", path("other.jsonl"))).code).toBe(2);
  });

  it("export of a period is a piece of the chain that can be checked as well", async () => {
    const [row] = await app.database.sql<{ at: number }[]>`select at from audit_entry where action = 'token.revoke'`;
    const file = path("piece.jsonl");
    await quiesce("audit", "export", "--from", new Date(row?.at ?? 0).toISOString(), "-o", file);
    const [start] = await lines(file);
    expect((JSON.parse(start ?? "{}") as { startsAfter: { position: number } }).startsAfter.position).toBeGreaterThan(0);
    expect((await quiesce("audit", "verify", "-f", file)).code).toBe(0);
  });

  it("export as CSV gives a spreadsheet no formula", async () => {
    const { out } = await quiesce("audit", "export", "--format", "csv");
    expect(out.split("\r\n")[0]).toBe("position,id,at,actor,action,subjectKind,subjectKey,reason,before,after,sealedAt,hash");
    expect(out.split("\r\n").length).toBeGreaterThan(5);
    expect(csvLine(["=1+1", "+1", "-1", "@a", "\t=1", 'a "b", c', -5, null])).toBe(`'=1+1,'+1,'-1,'@a,'\t=1,"a ""b"", c",-5,\r\n`);
  });

  it("head and the server's file of heads show that the end of the trail was deleted together with its mark", async () => {
    await vi.waitFor(async () => expect((await lines(headFile)).length).toBeGreaterThan(0), { timeout: 60_000 });
    const { out } = await quiesce("audit", "head");
    const head = JSON.parse(out) as { position: number; publicKey: string };
    const [first] = await lines(headFile);
    await writeFile(path("heads"), `${first}\n`);
    expect((await quiesce("audit", "head", "--append", path("heads"))).code).toBe(0);
    expect(await lines(path("heads"))).toHaveLength(2);
    expect(await quiesce("audit", "verify", "--head", path("heads"), "--public-key", head.publicKey)).toMatchObject({ code: 0 });
    expect(await quiesce("audit", "verify", "--head", path("heads"), "--public-key", "AAAA")).toMatchObject({ code: 1 });
    await writeFile(path("forged"), out.replace(`"position":${head.position}`, `"position":${head.position - 1}`));
    expect((await quiesce("audit", "verify", "--head", path("forged"))).out).toMatch(/signature that does not fit/);
    await app.database.sql`create table kept as select * from audit_entry`;
    await app.database.sql`create table kept_chain as select * from audit_chain`;
    await bySql(`delete from audit_entry where position = ${head.position};
      update audit_chain set position = position - 1, hash = (select hash from audit_entry where position = ${head.position - 1})`);
    expect((await quiesce("audit", "verify")).code).toBe(0);
    expect(await quiesce("audit", "verify", "--head", path("heads"))).toMatchObject({
      code: 1,
      out: expect.stringMatching(/last entries were deleted/),
    });
    await bySql(`insert into audit_entry overriding system value select * from kept where position = ${head.position};
      update audit_chain set position = k.position, hash = k.hash from kept_chain as k`);
  });

  it("erase takes a name away, and the trail and its export stay whole", async () => {
    await quiesce("pause", "--all", "-r", "look");
    const erased = await quiesce("audit", "erase", "--actor", "token:ben", "-r", "request 12", "--yes");
    expect(erased).toMatchObject({ code: 0, out: expect.stringMatching(/^2 values in 2 entries are erased/) });
    await sealed();
    expect((await quiesce("audit", "verify")).code).toBe(0);
    expect((await quiesce("audit", "export", "-o", path("erased.jsonl"))).code).toBe(0);
    expect(await readFile(path("erased.jsonl"), "utf8")).not.toMatch(/"ben"/);
    expect(await quiesce("audit", "verify", "-f", path("erased.jsonl"))).toMatchObject({ code: 0 });
    expect((await quiesce("audit", "erase", "-r", "x", "--yes")).code).toBe(2);
  });

  it("verify names the first bad entry", async () => {
    await bySql("update audit_entry set subject_key = '99' where position = 3");
    expect(await quiesce("audit", "verify")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Entry \d+ at position 3 \(.*\) does not fit its hash/),
    });
    const { whole, problems } = JSON.parse((await quiesce("audit", "verify", "--json")).out) as {
      whole: boolean;
      problems: { position: number }[];
    };
    expect({ whole, first: problems[0]?.position }).toEqual({ whole: false, first: 3 });
  });
});
