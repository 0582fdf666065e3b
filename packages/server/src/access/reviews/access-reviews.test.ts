import { DomainError, type Grant } from "@quiesce/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { controlTime, type ControlledTime } from "../../../../../test/database/control-time.js";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import type { Actor, CommandContext } from "../../command.js";
import { authenticate } from "../authenticate.js";
import { createToken } from "../tokens.js";
import { closeReview } from "./close-review.js";
import { decideAccess } from "./decide-access.js";
import { openReview, type ReviewInput } from "./open-review.js";
import { itemsOf } from "./queries.js";
import type { ReviewItemView } from "./review-evidence.js";

const DAY_MS = 86_400_000;
const everywhere = { kind: "all" } as const;
const viewer: Grant = { role: "viewer", scope: everywhere };
const operator: Grant = { role: "operator", scope: everywhere };
let api: StartedApi;
let time: ControlledTime;

beforeAll(async () => {
  api = await startApi();
  time = await controlTime(api.database.sql);
});
afterAll(async () => {
  await api.stop();
});
beforeEach(async () => {
  await unguarded("truncate access_review, access_review_item, access_use cascade");
  await api.database
    .sql`delete from principal as p where not exists (select from api_token as t where t.principal_id = p.id and t.name like 'test-%') and p.kind = 'person'`;
});

const unguarded = (statement: string) =>
  api.database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(statement);
  });
const as = (name: string): CommandContext => ({ ...api.context, actor: { kind: "token", name, role: "admin" } satisfies Actor });
const boss = () => as("test-admin");
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "nothing was refused",
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );
const opened = async (more: Partial<ReviewInput> = {}) =>
  (await openReview(boss(), { title: "Fourth quarter", dueAt: (await time.now()) + 14 * DAY_MS, ...more })).id;
const items = (id: number) => itemsOf(api.database.db, id);
const itemOf = async (id: number, account: string, subject = "token"): Promise<ReviewItemView> => {
  const found = (await items(id)).find((item) => item.snapshot.account === account && item.subject === subject);
  if (found === undefined) throw new Error(`Nobody is called ${account}.`);
  return found;
};
const person = async (name: string, grants: readonly Grant[], issuer: string | null = null) => {
  await api.database.sql`
    insert into principal (kind, name, created_by, grants, issuer, subject)
    values ('person', ${name}, 'test', ${JSON.stringify(grants)}::text::jsonb, ${issuer}, ${issuer === null ? null : name})`;
};
const entries = (action: string) =>
  api.database.sql<{ actor: string; reason: string | null; after: Record<string, unknown> }[]>`
    select actor, reason, after from audit_entry where action = ${action} order by id desc`;
const reason = "seen with the team";

describe("opening a review", () => {
  it("takes down everybody's access with grants, use, and what speaks against it", async () => {
    await person("ada", [operator], "https://id.example");
    const { id: tokenId } = await createToken(api.context, { name: "deploy", role: "admin" });
    const [account] = await api.database.sql<{ principal_id: number }[]>`select principal_id from api_token where id = ${tokenId}`;
    await time.advance(120 * DAY_MS);
    await api.database.sql`update api_token set last_used_at = app_now() where id = ${tokenId}`;
    await api.database.sql`
      insert into access_use (principal_id, token_id, action, first_used_on, last_used_on)
      select ${account?.principal_id ?? 0}, ${tokenId}, action, (app_now() - interval '100 days')::date, app_now()::date from unnest(array['runs.write', 'runs.read']) as action`;
    const id = await opened();
    const deploy = await itemOf(id, "deploy");
    expect(deploy.snapshot.used.map(({ action }) => action)).toEqual(["runs.read", "runs.write"]);
    expect(deploy.snapshot.suggestions.map(({ finding, grants }) => [finding, grants])).toEqual([
      ["excessive", [operator]],
      ["no-expiry", null],
    ]);
    expect((await itemOf(id, "ada", "person")).snapshot.suggestions[0]?.reason).toBe("Never signed in in the 120 days since it was made.");
    expect((await itemOf(id, "deploy", "service")).snapshot.suggestions.map(({ finding }) => finding)).toEqual(["no-owner"]);
    const only = await opened({ subjects: ["person"] });
    expect((await items(only)).map(({ subject }) => subject)).toEqual(["person"]);
    expect((await entries("access-review.create"))[0]?.after).toMatchObject({ title: "Fourth quarter", items: 1, unusedDays: 90 });
  });

  it("knows owners by team and by account, and shows a disabled account only while tokens of it are valid", async () => {
    const service = (name: string, owner: string) =>
      api.database
        .sql`insert into principal (kind, name, owner, created_by) values ('service', ${name}, ${owner}, 'test') on conflict do nothing`;
    await person("gone", []);
    await api.database.sql`update principal set disabled_at = app_now() where name = 'gone'`;
    await Promise.all([service("a", "Sales-Team"), service("b", "gone"), service("c", "nobody"), service("d", "test-admin")]);
    const id = await opened({ subjects: ["person", "service"] });
    const stateOf = async (name: string) => (await itemOf(id, name, "service")).snapshot.ownerState;
    expect(await Promise.all(["a", "b", "c", "d"].map(stateOf))).toEqual(["known", "disabled", "unknown", "known"]);
    expect((await items(id)).some(({ snapshot }) => snapshot.account === "gone")).toBe(false);
  });

  it.each<readonly [string, Partial<ReviewInput>, string]>([
    ["without a title", { title: " " }, "QSC_REVIEW_INVALID"],
    ["that was due before", { dueAt: 1 }, "QSC_REVIEW_INVALID"],
    ["that calls a day's silence unused", { unusedDays: 1 }, "QSC_REVIEW_INVALID"],
    ["by reviewers whom nobody knows", { reviewers: ["test-admin", "nobody at all"] }, "QSC_REVIEW_REVIEWER"],
    ["of nobody", { subjects: ["person"] }, "QSC_REVIEW_SIZE"],
  ])("is refused for one %s", async (_what, more, code) => {
    expect(await codeOf(opened(more))).toBe(code);
  });

  it("is refused when twenty are open", async () => {
    await opened();
    await api.database.sql`
      insert into access_review (title, subjects, unused_days, reviewers, due_at, opened_by)
      select 'More', '{person}', 90, '{}', app_now(), 'test' from generate_series(1, 19)`;
    expect(await codeOf(opened())).toBe("QSC_REVIEW_LIMIT");
  });
});

describe("deciding", () => {
  it("is refused about one's own access, also through a program that one owns", async () => {
    await person("ada", [operator]);
    await api.database
      .sql`insert into principal (kind, name, owner, created_by) values ('service', 'adas-script', 'ada', 'test') on conflict do nothing`;
    const id = await opened();
    const own = await itemOf(id, "test-admin");
    const adas = await itemOf(id, "ada", "person");
    const decide = (context: CommandContext, item: number) => decideAccess(context, { id, items: [item], decision: "keep", reason });
    expect(await codeOf(decide(boss(), own.id))).toBe("QSC_REVIEW_OWN_ACCESS");
    expect(await codeOf(decide(as("adas-script"), adas.id))).toBe("QSC_REVIEW_OWN_ACCESS");
    expect(await codeOf(decide(as("ada"), own.id))).toBe("nothing was refused");
    expect((await itemOf(id, "test-admin")).decidedBy).toBe("token:ada");
  });

  it("is all items or none, by the named reviewers, with a reason, and may be thought over until the close", async () => {
    await person("ben", []);
    const id = await opened({ reviewers: ["ben"] });
    const [one, two] = [await itemOf(id, "test-viewer"), await itemOf(id, "test-operator")];
    const both = { id, items: [one.id, two.id], reason };
    expect(await codeOf(decideAccess(boss(), { ...both, decision: "keep" }))).toBe("QSC_REVIEW_NOT_REVIEWER");
    const ben = as("ben");
    expect(await codeOf(decideAccess(ben, { ...both, decision: "narrow", grants: [viewer] }))).toBe("QSC_REVIEW_NOT_NARROWER");
    expect((await items(id)).every(({ decision }) => decision === null)).toBe(true);
    expect(await codeOf(decideAccess(ben, { ...both, items: [one.id, 999_999], decision: "keep" }))).toBe("QSC_REVIEW_ITEM");
    expect(await codeOf(decideAccess(ben, { ...both, items: [], decision: "keep" }))).toBe("QSC_REVIEW_ITEM");
    expect(await codeOf(decideAccess(ben, { ...both, decision: "keep", reason: " " }))).toBe("QSC_REVIEW_REASON");
    await decideAccess(ben, { ...both, decision: "revoke" });
    await decideAccess(ben, { id, items: [two.id], decision: "narrow", grants: [viewer], reason });
    expect(await itemOf(id, "test-operator")).toMatchObject({ decision: "narrow", grants: [viewer], decidedBy: "token:ben" });
    expect(await itemOf(id, "test-viewer")).toMatchObject({ decision: "revoke", grants: null });
    const [last] = await entries("access-review.decide");
    expect(last).toMatchObject({ actor: "token:ben", reason, after: { item: two.id, decision: "narrow", grants: "viewer" } });
    expect(await codeOf(decideAccess(ben, { ...both, id: 999_999, decision: "keep" }))).toBe("QSC_REVIEW_NOT_FOUND");
  });
});

describe("closing", () => {
  const keepOwn = async (id: number) => {
    const own = (await items(id)).filter(({ snapshot }) => snapshot.account === "test-admin").map((item) => item.id);
    await decideAccess(as("test-auditor"), { id, items: own, decision: "keep", reason });
  };

  it("carries out what was decided: tokens end or are narrowed, accounts are disabled", async () => {
    await person("ada", [operator, { role: "admin", scope: { kind: "team", name: "erp" } }]);
    const secret = (await createToken(api.context, { name: "robot", role: "operator" })).secret;
    const other = (await createToken(api.context, { name: "leaver", role: "viewer" })).secret;
    const id = await opened();
    const decide = async (account: string, subject: string, decision: "narrow" | "revoke", grants?: readonly Grant[]) =>
      decideAccess(boss(), { id, items: [(await itemOf(id, account, subject)).id], decision, grants, reason });
    await decide("robot", "token", "narrow", [viewer]);
    await decide("leaver", "service", "revoke");
    await decide("leaver", "token", "revoke");
    await decide("ada", "person", "narrow", [viewer]);
    await keepOwn(id);
    expect(await codeOf(closeReview(boss(), { id, reason: "done" }))).toBe("QSC_REVIEW_UNDECIDED");
    await closeReview(boss(), { id, undecided: "keep", reason: "done" });
    expect((await authenticate(api.database, `Bearer ${secret}`)).principal.grants).toEqual([viewer]);
    expect(await codeOf(authenticate(api.database, `Bearer ${other}`))).toBe("QSC_ACCESS_TOKEN_REVOKED");
    const [ada] = await api.database.sql<{ grants: unknown }[]>`select grants from principal where name = 'ada'`;
    expect(ada?.grants).toEqual([viewer]);
    expect((await itemOf(id, "leaver", "service")).outcome).toBe("revoked");
    expect((await entries("token.change"))[0]).toMatchObject({
      actor: "token:test-admin",
      reason: `Access review ${id}: ${reason}`,
      after: { grants: "viewer" },
    });
    expect((await entries("access-review.close"))[0]?.after).toMatchObject({ narrowed: 2, revoked: 2, gone: 0, changed: 0 });
    const told = await api.database.sql<{ kind: string }[]>`
      select kind from event_inbox where kind ~ '^(token|principal).(changed|revoked|disabled)$' union all
      select kind from event_log where kind ~ '^(token|principal).(changed|revoked|disabled)$' order by kind`;
    expect(told.map(({ kind }) => kind)).toEqual(["principal.changed", "principal.disabled", "token.changed", "token.revoked"]);
  });

  it("ends the open connections of a token that it revokes, as revoking does", async () => {
    const { secret } = await createToken(api.context, { name: "listener", role: "viewer" });
    const id = await opened({ subjects: ["token"] });
    await decideAccess(boss(), { id, items: [(await itemOf(id, "listener")).id], decision: "revoke", reason });
    await keepOwn(id);
    const stream = await fetch(`${api.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: "subscription { liveEvents { kind } }" }),
    });
    expect(stream.status).toBe(200);
    const close = `mutation { closeAccessReview(input: { key: "${id}", undecided: KEEP, reason: "done" }) { key closedBy hash } }`;
    const { data, errors } = await api.ask(close);
    expect(errors).toBeUndefined();
    expect(data?.["closeAccessReview"]).toMatchObject({ key: String(id), closedBy: "token:test-admin" });
    // Reads to the end, which comes.
    expect(await stream.text()).not.toContain("token.revoked");
  });

  it("leaves alone what is gone, and grants that are others than were looked at", async () => {
    const [gone, changed] = [
      await createToken(api.context, { name: "gone-token", role: "operator" }),
      await createToken(api.context, { name: "changed", role: "admin" }),
    ];
    const id = await opened({ subjects: ["token"] });
    for (const account of ["gone-token", "changed"])
      await decideAccess(boss(), {
        id,
        items: [(await itemOf(id, account)).id],
        decision: "narrow",
        grants: [{ role: "viewer", scope: everywhere }],
        reason,
      });
    await api.database.sql`update api_token set revoked_at = app_now() where id = ${gone.id}`;
    const narrower = JSON.stringify([{ role: "admin", scope: { kind: "team", name: "erp" } }]);
    await api.database.sql`update api_token set grants = ${narrower}::text::jsonb where id = ${changed.id}`;
    await keepOwn(id);
    await closeReview(boss(), { id, undecided: "keep", reason: "done" });
    expect([(await itemOf(id, "gone-token")).outcome, (await itemOf(id, "changed")).outcome]).toEqual(["gone", "changed"]);
    const [row] = await api.database.sql<{ grants: unknown }[]>`select grants from api_token where id = ${changed.id}`;
    expect(JSON.stringify(row?.grants)).toContain("erp");
  });

  it("is done once: a second close, or a decision after it, is refused; two at the same time are one", async () => {
    const id = await opened({ subjects: ["token"] });
    await keepOwn(id);
    const before = (await entries("access-review.close")).length;
    await Promise.all([
      closeReview(boss(), { id, undecided: "keep", reason: "done" }),
      codeOf(closeReview(boss(), { id, undecided: "keep", reason: "done" })),
    ]);
    expect(await entries("access-review.close")).toHaveLength(before + 1);
    expect(await codeOf(closeReview(boss(), { id, undecided: "keep", reason: "again" }))).toBe("QSC_REVIEW_CLOSED");
    const item = await itemOf(id, "test-viewer");
    expect(await codeOf(decideAccess(boss(), { id, items: [item.id], decision: "revoke", reason }))).toBe("QSC_REVIEW_CLOSED");
    expect(await entries("access-review.close")).toHaveLength(before + 1);
  });

  it("goes on where a close was interrupted", async () => {
    const { id: tokenId } = await createToken(api.context, { name: "half", role: "viewer" });
    const id = await opened({ subjects: ["token"] });
    await decideAccess(boss(), { id, items: [(await itemOf(id, "half")).id], decision: "revoke", reason });
    await api.database
      .sql`update access_review_item set decision = 'keep', reason = 'r', decided_by = 'x', decided_at = app_now() where decision is null`;
    await api.database.sql`update access_review set closing_at = app_now() where id = ${id}`;
    expect(await codeOf(decideAccess(boss(), { id, items: [(await itemOf(id, "half")).id], decision: "keep", reason }))).toBe(
      "QSC_REVIEW_CLOSED",
    );
    await closeReview(boss(), { id, reason: "once more" });
    const [row] = await api.database.sql`select from api_token where id = ${tokenId} and revoked_at is not null`;
    expect(row).toBeDefined();
  });

  it("does not decide on the closer's own access, nor take the closer's own account away, nor the last admin", async () => {
    const id = await opened({ subjects: ["service", "token"] });
    expect(await codeOf(closeReview(boss(), { id, undecided: "keep", reason: "all fine" }))).toBe("QSC_REVIEW_OWN_ACCESS");
    await keepOwn(id);
    await decideAccess(as("test-auditor"), { id, items: [(await itemOf(id, "test-admin", "service")).id], decision: "revoke", reason });
    expect(await codeOf(closeReview(as("test-auditor"), { id, undecided: "keep", reason: "r" }))).toBe("QSC_REVIEW_OWN_ACCESS");
    await decideAccess(boss(), {
      id,
      items: (await items(id)).filter(({ decision }) => decision === null).map((item) => item.id),
      decision: "keep",
      reason,
    });
    await api.database.sql`update api_token set revoked_at = app_now() where name not like 'test-%' and grants::text like '%admin%'`;
    expect(await codeOf(closeReview(as("test-auditor"), { id, reason: "r" }))).toBe("QSC_REVIEW_LAST_ADMIN");
    await createToken(api.context, { name: "another-admin", role: "admin" });
    expect(await codeOf(closeReview(boss(), { id, reason: "r" }))).toBe("QSC_REVIEW_OWN_ACCESS");
    const [still] = await api.database.sql`select from principal where name = 'test-admin' and disabled_at is null`;
    expect(still).toBeDefined();
  });
});

describe("evidence", () => {
  it("is changed by nobody: what was seen never, and nothing after the close", async () => {
    const id = await opened({ subjects: ["token"] });
    const { id: item } = await itemOf(id, "test-viewer");
    const refused = /evidence of access review/;
    await expect(api.database.sql`update access_review_item set snapshot = '{}' where id = ${item}`).rejects.toThrow(refused);
    await expect(api.database.sql`delete from access_review_item where id = ${item}`).rejects.toThrow(refused);
    await expect(api.database.sql`delete from access_review where id = ${id}`).rejects.toThrow(refused);
    await closeReview(as("nobody"), { id, undecided: "keep", reason: "done" });
    await expect(api.database.sql`update access_review_item set reason = 'better' where id = ${item}`).rejects.toThrow(refused);
    await expect(api.database.sql`update access_review set title = 'Better' where id = ${id}`).rejects.toThrow(refused);
  });
});
