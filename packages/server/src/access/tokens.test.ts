import { DomainError, packagedZoneData } from "@quiesce/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { type CommandContext, systemActor } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { authenticate, callersOf } from "./authenticate.js";
import { createToken, ensureFirstToken, revokeToken } from "./tokens.js";

let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 8, applicationName: "tokens-test" });
  context = { database, actor: systemActor, zones: packagedZoneData() };
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});
beforeEach(async () => {
  await database.sql`truncate principal, api_token, stream_ticket, audit_entry, event_inbox cascade`;
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "nothing was refused",
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );
const idOf = async (name: string) => (await database.sql<{ id: number }[]>`select id from principal where name = ${name}`)[0]?.id;
const enter = (secret: string) => authenticate(database, `Bearer ${secret}`);

describe("API tokens", () => {
  it("opens the door with its role until it is revoked", async () => {
    const token = await createToken(context, { name: "ci", role: "operator" });
    expect(token.secret).toMatch(/^qsc_[\w-]{43}$/);
    expect(await enter(token.secret)).toEqual({
      credential: `token:${token.id}`,
      principalId: await idOf("ci"),
      principal: { name: "ci", grants: [{ role: "operator", scope: { kind: "all" } }] },
      expiresAt: null,
    });
    await revokeToken(context, { id: token.id, reason: "left" });
    expect(await codeOf(enter(token.secret))).toBe("QSC_ACCESS_TOKEN_REVOKED");
    expect((await callersOf(database, [`token:${token.id}`])).size).toBe(0);
  });

  it("is refused without a grant, and with more than fit", async () => {
    expect(await codeOf(createToken(context, { name: "none" }))).toBe("QSC_ACCESS_GRANT");
    const grants = Array.from({ length: 50 }, (_none, n) => ({ role: "viewer", scope: { kind: "system", name: `s${n}` } }) as const);
    expect(await codeOf(createToken(context, { name: "full", grants }))).toBe("nothing was refused");
    expect(await codeOf(createToken(context, { name: "more", role: "viewer", grants }))).toBe("QSC_ACCESS_GRANT");
    expect(await idOf("more")).toBeUndefined();
  });

  it("expires by the database's clock", async () => {
    const token = await createToken(context, { name: "short", role: "viewer", expiresAt: 4_102_444_800_000 });
    expect((await callersOf(database, [`token:${token.id}`])).get(`token:${token.id}`)).toMatchObject({
      principal: { grants: [{ role: "viewer" }] },
      expiresAt: 4_102_444_800_000,
    });
    await database.sql`update api_token set expires_at = app_now() where id = ${token.id}`;
    expect(await codeOf(enter(token.secret))).toBe("QSC_ACCESS_TOKEN_EXPIRED");
    expect((await callersOf(database, [`token:${token.id}`, "token:999999"])).size).toBe(0);
    expect(await codeOf(createToken(context, { name: "past", role: "viewer", expiresAt: 1 }))).toBe("QSC_ACCESS_TOKEN_EXPIRY");
  });

  it("is refused when it is missing, malformed or unknown", async () => {
    const token = await createToken(context, { name: "ci", role: "viewer" });
    for (const header of [undefined, null, "", "Bearer", `Basic ${token.secret}`])
      expect(await codeOf(authenticate(database, header))).toBe("QSC_ACCESS_TOKEN_MISSING");
    const changed = token.secret.slice(0, -1) + (token.secret.endsWith("A") ? "B" : "A");
    for (const secret of ["x", "qsc_short", changed, `${token.secret}x`])
      expect(await codeOf(enter(secret))).toBe("QSC_ACCESS_TOKEN_INVALID");
  });

  it("leaves its secret nowhere in the database", async () => {
    const token = await createToken(context, { name: "ci", role: "viewer" });
    await enter(token.secret);
    const [dump] = await database.sql<{ text: string }[]>`
      select (select coalesce(string_agg(t::text, ''), '') from api_token as t) || (select coalesce(string_agg(a::text, ''), '') from audit_entry as a)
        || (select coalesce(string_agg(e::text, ''), '') from event_inbox as e) as text`;
    expect(dump?.text).toContain("ci");
    expect(dump?.text).not.toContain(token.secret.slice(12));
    expect(dump?.text).not.toContain(Buffer.from(token.secret).toString("hex"));
  });

  it("notes when it was last used", async () => {
    const token = await createToken(context, { name: "ci", role: "viewer" });
    await enter(token.secret);
    const [row] = await database.sql<{ used: boolean }[]>`select last_used_at is not null as used from api_token where id = ${token.id}`;
    expect(row?.used).toBe(true);
  });

  it("is made for the first admin exactly once, however many servers start", async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => ensureFirstToken(database)));
    const tokens = made.filter((token) => token !== null);
    expect(tokens).toHaveLength(1);
    expect((await enter(tokens[0]?.secret ?? "")).principal.grants).toEqual([{ role: "admin", scope: { kind: "all" } }]);
    await revokeToken(context, { id: tokens[0]?.id ?? 0 });
    expect(await ensureFirstToken(database)).toBeNull();
  });
});
