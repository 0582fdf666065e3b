import { chainStart, packagedZoneData } from "@quiesce/core";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { type Actor, inTransaction } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { auditHealth } from "./audit-health.js";
import { chainState } from "./chain-store.js";
import { checkChain } from "./check-chain.js";
import { eraseAuditPersonal } from "./erase-personal.js";
import { type AuditEntry, recordAudit, recordAudits } from "./record-audit.js";
import { sealAll, sealEntries } from "./seal-entries.js";
import { verifyTrail } from "./verify-trail.js";

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "audit-test" });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});
beforeEach(async () => {
  await database.sql`truncate audit_entry, audit_personal, event_inbox restart identity`;
  await database.sql`
    update audit_chain set position = 0, hash = decode(repeat('0', 64), 'hex'), sealed_at = null, drained_at = null, checked_position = 0,
      checked_hash = decode(repeat('0', 64), 'hex'), checked_at = null, broken = null`;
});

const ada: Actor = { kind: "token", name: "ada", role: "operator" };
const ben: Actor = { kind: "token", name: 'ben "the boss"', role: "admin" };
const entry = (n: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  actor: ada,
  action: "window.create",
  subjectKind: "window",
  subjectKey: `w${n}`,
  reason: `reason ${n}`,
  before: null,
  after: { requestedBy: "ada", n, big: 12.5, nested: [{ comment: "fine" }] },
  ...more,
});
const write = (entries: readonly AuditEntry[]) => inTransaction({ database }, (tx) => recordAudits(tx, entries));
const chainOf = async (length: number) => {
  await write(Array.from({ length }, (_, index) => entry(index + 1)));
  await sealAll({ database });
};
const problems = async () =>
  (await verifyTrail(database, chainStart, { limit: 1_000 })).problems.map(({ kind, position, entryId }) => ({ kind, position, entryId }));
/** What somebody does who owns the database. */
const bySql = async (statement: string) => {
  await database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(statement);
  });
};

describe("sealing", () => {
  it("gives committed entries dense places in the order of their numbers, and what commits later the next ones", async () => {
    let commit: () => void = () => undefined;
    const mayCommit = new Promise<void>((resolve) => (commit = resolve));
    let written: () => void = () => undefined;
    const isWritten = new Promise<void>((resolve) => (written = resolve));
    const open = inTransaction({ database }, async (tx) => {
      await recordAudit(tx, entry(1));
      written();
      await mayCommit;
    });
    await isWritten;
    await write([entry(2), entry(3)]);
    expect(await sealEntries({ database })).toEqual({ sealed: 2, late: 0, more: false });
    commit();
    await open;
    await sealAll({ database });
    const rows = await database.sql`select subject_key as key, position from audit_entry order by position`;
    expect([...rows]).toEqual([
      { key: "w2", position: 1 },
      { key: "w3", position: 2 },
      { key: "w1", position: 3 },
    ]);
    expect(await problems()).toEqual([]);
  });

  it("is done once when four servers do it at the same time", async () => {
    await write(Array.from({ length: 300 }, (_, index) => entry(index)));
    const results = await Promise.all(Array.from({ length: 4 }, () => sealEntries({ database })));
    await sealAll({ database });
    expect(results.reduce((sum, { sealed }) => sum + sealed, 0)).toBe(300);
    expect(await chainState(database.db)).toMatchObject({ position: 300 });
    expect(await problems()).toEqual([]);
  });

  it("takes what an older release wrote as it is", async () => {
    await database.sql`
      insert into audit_entry (actor, action, subject_kind, subject_key, reason, before, after)
      values ('token:old', 'hold.create', 'hold', '7', null, null, '{"n": 1.10, "by": "old"}')`;
    await sealAll({ database });
    expect(await problems()).toEqual([]);
    const [row] = await database.sql`select count(*)::integer as n from audit_personal`;
    expect(row).toEqual({ n: 2 });
  });

  it("never puts a name, a reason or a salt into the chain's text, and no two values share a salt", async () => {
    await chainOf(5);
    const salts = await database.sql<{ salt: string }[]>`select salt from audit_personal`;
    expect(salts.every(({ salt }) => /^[0-9a-f]{32}$/.test(salt))).toBe(true);
    expect(new Set(salts.map(({ salt }) => salt)).size).toBe(salts.length);
  });

  it("calls an entry late that appears with a time long past, says so once, and verify names it", async () => {
    await chainOf(2);
    await database.sql`
      insert into audit_entry (at, actor, action, subject_kind, subject_key) values (app_now() - interval '1 day', 'token:ada', 'hold.release', 'hold', '1')`;
    expect(await sealEntries({ database })).toMatchObject({ sealed: 1, late: 1 });
    expect(await problems()).toEqual([{ kind: "inserted", position: 3, entryId: 3 }]);
    const events = await database.sql`select kind from event_inbox`;
    expect([...events]).toEqual([{ kind: "audit.broken" }]);
    expect(await checkChain({ database })).toEqual({ broken: null, isNews: false });
  });
});

describe("the table", () => {
  it("refuses changes and deletions that are neither sealing nor a lawful erasure", async () => {
    await chainOf(1);
    await expect(database.sql`update audit_entry set action = 'x'`).rejects.toThrow(/only grows/);
    await expect(database.sql`delete from audit_entry`).rejects.toThrow(/only grows/);
  });
});

/** One row, by SQL, and which position must be named first. */
const tamperings: Record<
  string,
  (at: number, length: number) => { readonly statement: string; readonly first: number; readonly kind?: string }
> = {
  action: (at) => ({ statement: `update audit_entry set action = 'x.y' where position = ${at}`, first: at }),
  time: (at) => ({ statement: `update audit_entry set at = at + interval '1 ms' where position = ${at}`, first: at }),
  subject: (at) => ({ statement: `update audit_entry set subject_key = 'other' where position = ${at}`, first: at }),
  actor: (at) => ({ statement: `update audit_entry set actor = 'token:eve' where position = ${at}`, first: at }),
  reason: (at) => ({ statement: `update audit_entry set reason = null where position = ${at}`, first: at }),
  "a number inside": (at) => ({
    statement: `update audit_entry set after = jsonb_set(after, '{n}', '99') where position = ${at}`,
    first: at,
  }),
  "a person inside": (at) => ({
    statement: `update audit_entry set after = jsonb_set(after, '{requestedBy}', '"eve"') where position = ${at}`,
    first: at,
  }),
  "a member more": (at) => ({ statement: `update audit_entry set before = '{"x": 1}' where position = ${at}`, first: at }),
  hash: (at) => ({ statement: `update audit_entry set hash = sha256(hash) where position = ${at}`, first: at }),
  sealing: (at) => ({ statement: `update audit_entry set sealed_at = sealed_at + interval '1 s' where position = ${at}`, first: at }),
  salt: (at) => ({
    statement: `update audit_personal set salt = repeat('0', 32) where field = '/actor' and entry_id = (select id from audit_entry where position = ${at})`,
    first: at,
  }),
  "a commitment taken away": (at) => ({
    statement: `delete from audit_personal where field = '/reason' and entry_id = (select id from audit_entry where position = ${at})`,
    first: at,
  }),
  "an erasure that nobody ordered": (at) => ({
    statement: `update audit_personal set salt = null, erased_by = 1 where field = '/actor' and entry_id = (select id from audit_entry where position = ${at});
      update audit_entry set actor = 'erased' where position = ${at}`,
    first: at,
    kind: "erased",
  }),
  deletion: (at) => ({ statement: `delete from audit_entry where position = ${at}`, first: at, kind: "missing" }),
  unsealing: (at) => ({
    statement: `update audit_entry set position = null, hash = null where position = ${at}`,
    first: at,
    kind: "missing",
  }),
  "deletion, and the others moved up": (at) => ({
    statement: `delete from audit_entry where position = ${at};
      update audit_entry set position = -position where position > ${at}; update audit_entry set position = -position - 1 where position < 0`,
    first: at,
  }),
  insertion: (at) => ({
    statement: `update audit_entry set position = -position where position >= ${at}; update audit_entry set position = -position + 1 where position < 0;
      insert into audit_entry (at, actor, action, subject_kind, subject_key, position, hash, sealed_at, late)
      select at, 'token:eve', 'hold.release', 'hold', '1', ${at}, sha256(hash), sealed_at, false from audit_entry where position = ${at + 1}`,
    first: at,
    kind: "inserted",
  }),
  exchange: (at, length) => {
    const other = at === length ? 1 : length;
    return {
      statement: `update audit_entry set position = -position where position in (${at}, ${other});
        update audit_entry set position = case position when -${at} then ${other} else ${at} end where position < 0`,
      first: Math.min(at, other),
      kind: "reordered",
    };
  },
  "exchange of contents": (at, length) => {
    const other = at === length ? 1 : length;
    return {
      statement: `update audit_entry as a set action = 'swapped', subject_key = b.subject_key, after = b.after from audit_entry as b
        where a.position in (${at}, ${other}) and b.position in (${at}, ${other}) and a.position <> b.position`,
      first: Math.min(at, other),
    };
  },
};

describe("one row that is changed by SQL", () => {
  it.each(Object.keys(tamperings))("is found and named, wherever it stands: %s", async (name) => {
    const length = 6;
    await chainOf(length);
    await database.sql`drop table if exists kept_entry, kept_personal`;
    await database.sql`create table kept_entry as select * from audit_entry`;
    await database.sql`create table kept_personal as select * from audit_personal`;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: length }), async (at) => {
        const { statement, first, kind } = tamperings[name]?.(at, length) ?? { statement: "", first: 0 };
        await bySql(statement);
        const [found] = await problems();
        expect(found).toMatchObject({ position: first, ...(kind === undefined ? {} : { kind }) });
        await bySql(`truncate audit_entry, audit_personal; insert into audit_entry overriding system value select * from kept_entry;
          insert into audit_personal select * from kept_personal`);
        expect(await problems()).toEqual([]);
      }),
      { numRuns: 2 },
    );
  });

  it("is found when the last rows are gone, as long as the chain's end is not set back as well", async () => {
    await chainOf(5);
    await bySql("delete from audit_entry where position > 3");
    expect(await problems()).toEqual([{ kind: "missing", position: 4, entryId: null }]);
  });
});

describe("the running check", () => {
  it("says once that the trail is broken, fails in the health check, and takes it back when it is mended", async () => {
    await chainOf(4);
    expect(await checkChain({ database })).toEqual({ broken: null, isNews: false });
    expect(await auditHealth(database.db)).toMatchObject({ status: "pass", observed: { sealed: 4, unsealed: 0 } });
    await bySql("update audit_entry set subject_key = 'eve' where position = 2");
    expect(await checkChain({ database })).toMatchObject({ broken: { kind: "edited", position: 2 }, isNews: true });
    expect(await checkChain({ database })).toMatchObject({ broken: { position: 2 }, isNews: false });
    expect(await auditHealth(database.db)).toMatchObject({
      status: "fail",
      servesAllTheSame: true,
      detail: expect.stringContaining("position 2"),
    });
    await bySql("update audit_entry set subject_key = 'w2' where position = 2");
    expect(await checkChain({ database })).toEqual({ broken: null, isNews: true });
    const events = await database.sql`select kind, payload ->> 'position' as position from event_inbox order by id`;
    expect([...events]).toEqual([
      { kind: "audit.broken", position: "2" },
      { kind: "audit.mended", position: "2" },
    ]);
    expect(await auditHealth(database.db)).toMatchObject({ status: "pass" });
  });

  it("warns when nobody seals", async () => {
    await database.sql`insert into audit_entry (at, actor, action, subject_kind, subject_key) values (app_now() - interval '5 minutes', 'token:a', 'x.y', 'x', '1')`;
    expect(await auditHealth(database.db)).toMatchObject({ status: "warn", observed: { unsealed: 1 } });
  });
});

describe("an erasure", () => {
  const context = () => ({ database, actor: { kind: "token", name: "root", role: "admin" } as Actor, zones: packagedZoneData() });
  const everything = async () => {
    const [row] = await database.sql<{ text: string }[]>`
      select (select string_agg(e::text, ' ') from audit_entry as e) || (select string_agg(p::text, ' ') from audit_personal as p) as text`;
    return row?.text ?? "";
  };

  it("takes an actor's name and words out of every entry, orders it on record, and leaves the chain valid", async () => {
    await write([
      entry(1),
      entry(2, { actor: ben, reason: "for ada", after: { requestedBy: "ada", comment: "ada asked" } }),
      entry(3, { after: { title: "ben" } }),
    ]);
    const erased = await eraseAuditPersonal(context(), { actor: "token:ada", reason: "request 4711" });
    expect(erased).toMatchObject({ values: 7, entries: 3, orders: [4] });
    const rows = await database.sql`select actor, reason, after from audit_entry order by id`;
    expect(rows.slice(0, 3)).toEqual([
      { actor: "erased", reason: "erased", after: { requestedBy: "erased", n: 1, big: 12.5, nested: [{ comment: "erased" }] } },
      // Words of somebody else stay.
      { actor: 'token:ben "the boss"', reason: "for ada", after: { requestedBy: "erased", comment: "ada asked" } },
      { actor: "erased", reason: "erased", after: { title: "ben" } },
    ]);
    expect(await problems()).toEqual([]);
    await sealAll({ database });
    expect(await problems()).toEqual([]);
    const again = await eraseAuditPersonal(context(), { subjectKind: "window", subjectKey: "w2", reason: "request 4712" });
    expect(again).toMatchObject({ values: 3, entries: 1 });
    expect(/"ada"|token:ada|ada asked|boss/.exec(await everything())).toBeNull();
    await sealAll({ database });
    expect(await problems()).toEqual([]);
  });

  it("finds a name that JSON writes with a backslash", async () => {
    await write([entry(1, { after: { by: 'ben "the boss"' } })]);
    expect(await eraseAuditPersonal(context(), { actor: 'token:ben "the boss"', reason: "r" })).toMatchObject({ values: 1 });
  });

  it("of more entries than one transaction takes is several orders, and all fit", async () => {
    await write(Array.from({ length: 450 }, (_, index) => entry(index)));
    expect((await eraseAuditPersonal(context(), { actor: "token:ada", reason: "r" })).orders).toHaveLength(3);
    await sealAll({ database });
    expect(await problems()).toEqual([]);
    expect(/"ada"|token:ada/.exec(await everything())).toBeNull();
  });

  it.each([
    [{ actor: "token:ada", reason: " " }, "QSC_AUDIT_ERASE_REASON"],
    [{ actor: "system:quiesce", reason: "r" }, "QSC_AUDIT_ERASE_WHAT"],
    [{ actor: "token:ada", subjectKind: "hold", reason: "r" }, "QSC_AUDIT_ERASE_WHAT"],
    [{ subjectKind: "hold", reason: "r" }, "QSC_AUDIT_ERASE_WHAT"],
    [{ actor: "token:nobody", reason: "r" }, "QSC_AUDIT_ERASE_NOTHING"],
  ])("of %o is refused with %s and changes nothing", async (input, code) => {
    await chainOf(1);
    await expect(eraseAuditPersonal(context(), input)).rejects.toMatchObject({ code });
    expect(await database.sql`select from audit_entry`).toHaveLength(1);
  });
});
