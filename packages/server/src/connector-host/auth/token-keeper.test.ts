import { randomBytes } from "node:crypto";
import { ConnectorError, type ConnectorFetch } from "@quiesce/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freshDatabase } from "../../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../../test/database/seed-catalogue.js";
import { masterKeyOf } from "../../credentials/master-key.js";
import { type Database, openDatabase } from "../../db/client.js";
import { createSecretMask } from "../secret-mask.js";
import { createTokenKeeper, type TokenKeeper } from "./token-keeper.js";
import type { OAuthMethod } from "./token-request.js";

const method: OAuthMethod = {
  kind: "oauth2-client-credentials",
  tokenUrl: "https://login.example.com/token",
  clientId: "me",
  clientSecret: "of-the-client",
};

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let database: Database;
let keeper: TokenKeeper;
let id: number;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "token-test" });
  await seedCatalogue(database.sql, { systems: [{ key: "erp" }], integrations: [], jobs: [] });
  const rows = await database.sql<{ id: number }[]>`
    insert into endpoint (key, name, system_id, connector) select 'api', 'api', id, 'http' from system where key = 'erp' returning id`;
  id = rows[0]?.id ?? 0;
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});
beforeEach(async () => {
  await database.sql`delete from connector_state`;
  keeper = createTokenKeeper({ database, keyRing: { current: masterKeyOf(randomBytes(32)), previous: [] } });
});

/** One call of a run: its own stop, and a token endpoint that answers when it is told to. */
function call() {
  const stop = new AbortController();
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  let give: (token: string) => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  const answer = new Promise<Response>((resolve, reject) => {
    give = (token) => resolve(Response.json({ access_token: token, token_type: "Bearer", expires_in: 3_600 }));
    refuse = reject;
  });
  answer.catch(() => undefined);
  let requests = 0;
  const fetch: ConnectorFetch = () => {
    requests += 1;
    asked();
    // As the guarded fetch does it.
    stop.signal.addEventListener("abort", () => refuse(new ConnectorError("cancelled", "The request was stopped.")), { once: true });
    return answer;
  };
  const source = keeper.sourceFor({
    endpoint: { id, key: "api", credentialId: null },
    method,
    fetch,
    mask: createSecretMask(),
    signal: stop.signal,
  });
  return { source, isAsked, give, refuse, stop: () => stop.abort({ why: "window" }), requests: () => requests };
}

describe("several calls that need a token at once", () => {
  it("ask for it once", async () => {
    const [first, second] = [call(), call()];
    const tokens = [first.source.current()];
    await first.isAsked;
    tokens.push(second.source.current(), second.source.current());
    first.give("token-1");
    expect(await Promise.all(tokens)).toEqual(["token-1", "token-1", "token-1"]);
    expect([first.requests(), second.requests()]).toEqual([1, 0]);
  });

  it("are not stopped with the one that asks: another one asks, once", async () => {
    const [first, second, third] = [call(), call(), call()];
    const stopped = first.source.renewed("old");
    await first.isAsked;
    // Both find the request under way before it is stopped.
    const settled = Promise.allSettled([stopped, second.source.renewed("old"), third.source.renewed("old")]);
    first.stop();
    second.give("token-2");
    third.give("token-2");
    const [own, ...rest] = await settled;
    expect(own).toMatchObject({ status: "rejected", reason: { kind: "cancelled" } });
    for (const one of rest) expect(one).toEqual({ status: "fulfilled", value: "token-2" });
    expect(first.requests()).toBe(1);
    expect(second.requests() + third.requests()).toBe(1);
  });

  it("are told what is wrong with the credentials by the one answer", async () => {
    const [first, second] = [call(), call()];
    const own = first.source.renewed("old");
    await first.isAsked;
    const other = second.source.renewed("old");
    const settled = Promise.allSettled([own, other]);
    first.refuse(new ConnectorError("auth", "invalid_client"));
    for (const one of await settled) expect(one).toMatchObject({ status: "rejected", reason: { kind: "auth" } });
    expect(second.requests()).toBe(0);
  });

  it("and are stopped themselves do not ask again", async () => {
    const [first, second] = [call(), call()];
    const own = first.source.renewed("old");
    await first.isAsked;
    const other = second.source.renewed("old");
    const settled = Promise.allSettled([own, other]);
    second.stop();
    first.stop();
    for (const one of await settled) expect(one).toMatchObject({ status: "rejected", reason: { kind: "cancelled" } });
    expect(second.requests()).toBe(0);
  });
});
