import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Browser, openBrowser } from "../../../../test/server/browser.js";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createServiceAccount, disablePrincipal, enablePrincipal } from "../access/principals.js";
import { createSignInLink } from "../access/sign-in-links.js";
import { createToken } from "../access/tokens.js";
import { sealAll } from "../audit/seal-entries.js";
import { appendEvents } from "../events/append-events.js";

const all = { kind: "all" } as const;
const logged: unknown[] = [];
let api: StartedApi;
beforeAll(async () => {
  const keep = (fields: object, message: string) => void logged.push(fields, message);
  api = await startApi({ log: { info: keep, warn: keep, error: keep }, trustedProxies: ["127.0.0.1"] });
});
afterAll(async () => {
  await api.stop();
});

const linkOf = (name?: string, role?: "viewer" | "operator" | "admin") =>
  createSignInLink(api.context, { name, grants: role === undefined ? undefined : [{ role, scope: all }] });
const enter = (browser: Browser, secret: string) => browser.post(`${api.url}/auth/link`, { secret });
let people = 0;
/** A browser in which a new local person is signed in. */
async function signedIn(role: "viewer" | "operator" | "admin" = "viewer"): Promise<{ browser: Browser; name: string; id: number }> {
  const name = `person-${(people += 1)}`;
  const browser = openBrowser();
  expect((await enter(browser, (await linkOf(name, role)).secret)).status).toBe(200);
  const [row] = await api.database.sql<{ id: number }[]>`select id from principal where name = ${name}`;
  return { browser, name, id: row?.id ?? 0 };
}
interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}
const query = async (browser: Browser, text: string, headers: Record<string, string> = {}) => {
  const response = await browser.post(`${api.url}/graphql`, { query: text }, headers);
  const answer = (await response.json()) as Answer;
  return { status: response.status, data: answer.data, code: answer.errors?.[0]?.extensions.code };
};
/** A field of an answer that has one. */
function fieldOf(data: Answer["data"], field: string): unknown {
  if (data === undefined || data === null) throw new Error(`There is no answer with ${field}.`);
  return data[field];
}
const refusal = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
};
const emit = (subjectKey: string) =>
  api.database.db.transaction((tx) => appendEvents(tx, [{ kind: "system.touched", subjectKind: "system", subjectKey }]));

describe("a sign-in link", () => {
  it("begins a session once, for whoever comes first", async () => {
    const { secret } = await linkOf();
    const browsers = [openBrowser(), openBrowser(), openBrowser()];
    const answers = await Promise.all(browsers.map((browser) => enter(browser, secret)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    const first = browsers.find((browser) => browser.cookies.has("quiesce")) ?? openBrowser();
    const mine = await query(first, "{ me { name kind grants { role } session { method } } }");
    expect(mine.data).toEqual({ me: { name: "admin", kind: "PERSON", grants: [{ role: "ADMIN" }], session: { method: "LINK" } } });
    expect(await refusal(await enter(openBrowser(), secret))).toEqual([401, "QSC_ACCESS_LINK_INVALID"]);
  });

  it("is refused when it is late, unknown or of an account that is disabled, all in one way", async () => {
    const late = await linkOf("late", "viewer");
    await api.database.sql`update sign_in_link set expires_at = app_now() where used_at is null`;
    const gone = await linkOf("gone", "viewer");
    const [row] = await api.database.sql<{ id: number }[]>`select id from principal where name = 'gone'`;
    await disablePrincipal(api.context, { id: row?.id ?? 0 });
    for (const secret of [late.secret, gone.secret, `qsl_${"a".repeat(43)}`, "", 7 as unknown as string])
      expect(await refusal(await enter(openBrowser(), secret))).toEqual([401, "QSC_ACCESS_LINK_INVALID"]);
  });

  it("is made for local people alone, and a new one gets what was said", async () => {
    await createServiceAccount(api.context, { name: "robot", owner: "ops" });
    await api.database
      .sql`insert into principal (kind, name, issuer, subject, created_by) values ('person', 'far@example.com', 'https://idp.example', '1', 'test')`;
    await expect(linkOf("robot")).rejects.toMatchObject({ code: "QSC_ACCESS_NOT_LOCAL" });
    await expect(linkOf("far@example.com")).rejects.toMatchObject({ code: "QSC_ACCESS_NOT_LOCAL" });
    await expect(linkOf("nobody")).rejects.toMatchObject({ code: "QSC_ACCESS_PRINCIPAL_NOT_FOUND" });
    await expect(linkOf("ROBOT", "admin")).rejects.toMatchObject({ code: "QSC_ACCESS_NAME_TAKEN" });
    const { browser } = await signedIn("operator");
    expect((await query(browser, "{ me { grants { role } } }")).data).toEqual({ me: { grants: [{ role: "OPERATOR" }] } });
    expect((await query(browser, "{ principals { nodes { key } } }")).code).toBe("QSC_ACCESS_DENIED");
  });

  it("is opened by a page that uses nothing up and whose script is the only one that may run", async () => {
    const page = await openBrowser().get(`${api.url}/auth/link`);
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'sha256-[^']+'/);
    expect(page.headers.get("cache-control")).toBe("no-store");
  });
});

describe("a session in a cookie", () => {
  it("opens the API to pages of the server, and to no other page", async () => {
    const { browser, name } = await signedIn("admin");
    const pause = 'mutation { pause(input: { scope: { all: true }, reason: "forged" }) { key } }';
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `${api.url}.evil.example` },
      { origin: api.url.replace("http:", "https:") },
      { origin: api.url.replace("127.0.0.1", "localhost") },
    ])
      expect(await query(browser, pause, headers)).toMatchObject({ status: 403, code: "QSC_ACCESS_CROSS_SITE" });
    for (const site of ["cross-site", "same-site", "none"]) {
      const response = await fetch(`${api.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", cookie: browser.cookieHeader, "sec-fetch-site": site },
        body: JSON.stringify({ query: pause }),
      });
      expect(response.status).toBe(403);
    }
    const bare = { "content-type": "application/json", cookie: browser.cookieHeader };
    expect((await fetch(`${api.url}/graphql`, { method: "POST", headers: bare, body: JSON.stringify({ query: pause }) })).status).toBe(403);
    expect(
      (await fetch(`${api.url}/gate/orders/enter`, { method: "POST", headers: { ...bare, origin: "https://evil.example" }, body: "{}" }))
        .status,
    ).toBe(403);
    expect((await api.database.sql`select from hold where reason = 'forged'`).length).toBe(0);
    expect((await query(browser, "{ me { name } }")).data).toEqual({ me: { name } });
    // A form of another site has neither JSON nor our origin.
    const form = await fetch(`${api.url}/graphql`, {
      method: "POST",
      headers: { cookie: browser.cookieHeader, origin: api.url },
      body: new URLSearchParams({ query: pause }),
    });
    expect(form.status).toBe(415);
  });

  it("gives way to a token in the header", async () => {
    const { browser } = await signedIn("admin");
    const headers = { authorization: `Bearer ${api.tokens.viewer}`, origin: "https://evil.example" };
    expect((await query(browser, "{ me { name session { key } } }", headers)).data).toEqual({ me: { name: "test-viewer", session: null } });
    expect((await query(browser, "{ me { name } }", { authorization: "Bearer qsc_wrong" })).code).toBe("QSC_ACCESS_TOKEN_INVALID");
  });

  it("works at every door: GraphQL by GET, the gate, health, server-sent events", async () => {
    const { browser, name } = await signedIn("operator");
    const own = { "sec-fetch-site": "same-origin", accept: "application/json" };
    const got = (await (await browser.get(`${api.url}/graphql?query={me{name}}`, own)).json()) as Answer;
    expect(got.data).toEqual({ me: { name } });
    expect((await browser.get(`${api.url}/graphql?query={me{name}}`, { ...own, "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await browser.get(`${api.url}/gate/orders`)).status).toBe(200);
    expect(await (await browser.get(`${api.url}/health`)).json()).toHaveProperty("checks");
    const leaving = new AbortController();
    const stream = await fetch(`${api.url}/graphql?query=${encodeURIComponent("subscription { liveEvents { subjectKey } }")}`, {
      headers: { accept: "text/event-stream", cookie: browser.cookieHeader, "sec-fetch-site": "same-origin" },
      signal: leaving.signal,
    });
    expect([stream.status, stream.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    leaving.abort();
    expect((await query(browser, "mutation { createStreamTicket { ticket } }")).code).toBe("QSC_ACCESS_TICKET_SESSION");
  });

  it("ends when nobody uses it, at its own end, and by signing out", async () => {
    const idle = await signedIn();
    await api.database.sql`update session set idle_until = app_now() where principal_id = ${idle.id}`;
    expect(await query(idle.browser, "{ me { name } }")).toMatchObject({ status: 401, code: "QSC_ACCESS_SESSION_OVER" });
    const late = await signedIn();
    await api.database.sql`update session set expires_at = app_now() where principal_id = ${late.id}`;
    expect((await query(late.browser, "{ me { name } }")).code).toBe("QSC_ACCESS_SESSION_OVER");
    const { browser, name } = await signedIn();
    const cookie = browser.cookieHeader;
    expect((await browser.post(`${api.url}/auth/sign-out`, {}, { origin: "https://evil.example" })).status).toBe(403);
    expect((await query(browser, "{ me { name } }")).data).toEqual({ me: { name } });
    expect([(await browser.post(`${api.url}/auth/sign-out`, {})).status, browser.cookies.size]).toEqual([204, 0]);
    expect((await fetch(`${api.url}/graphql?query={me{name}}`, { headers: { cookie } })).status).toBe(401);
    const trail = await api.database.sql<
      { actor: string; action: string }[]
    >`select actor, action from audit_entry where subject_kind = 'session' order by id desc limit 2`;
    expect(trail.map(({ actor, action }) => [actor, action])).toEqual([
      [`person:${name}`, "session.end"],
      [`person:${name}`, "session.start"],
    ]);
  });

  it("moves its end of idleness with its use, and never its own end", async () => {
    const { browser, id } = await signedIn();
    await api.database
      .sql`update session set last_used_at = app_now() - interval '5 minutes', idle_until = app_now() + interval '1 second', expires_at = app_now() + interval '1 hour' where principal_id = ${id}`;
    await query(browser, "{ me { name } }");
    const [row] = await api.database.sql<{ moved: boolean; within: boolean }[]>`
      select idle_until > app_now() + interval '50 minutes' as moved, idle_until <= expires_at as within from session where principal_id = ${id}`;
    expect(row).toEqual({ moved: true, within: true });
  });

  it("that is used again and again does not end, however short it may be idle", async () => {
    const { browser, id } = await signedIn();
    // Four minutes without a request would end it; of them half a minute is over.
    await api.database.sql`
      update session set idle_seconds = 240, last_used_at = app_now() - interval '30 seconds', idle_until = app_now() + interval '210 seconds' where principal_id = ${id}`;
    const idleUntil = async () =>
      Number(
        (await api.database.sql<{ at: string }[]>`select extract(epoch from idle_until) as at from session where principal_id = ${id}`)[0]
          ?.at,
      );
    const before = await idleUntil();
    await query(browser, "{ me { name } }");
    expect(await idleUntil()).toBeGreaterThan(before);
  });

  it("is listed for its person, who may end each, and nobody else's", async () => {
    const { browser, name } = await signedIn();
    const other = openBrowser();
    await enter(other, (await linkOf(name)).secret);
    const stranger = await signedIn();
    const { data } = await query(browser, "{ me { sessions { key browser } session { key } } }");
    const { sessions, session } = fieldOf(data, "me") as { sessions: { key: string }[]; session: { key: string } };
    expect(sessions).toHaveLength(2);
    const another = sessions.find(({ key }) => key !== session.key)?.key ?? "";
    const end = `mutation { endSession(input: { key: "${another}" }) { key } }`;
    expect((await query(stranger.browser, end)).code).toBe("QSC_ACCESS_SESSION_NOT_FOUND");
    expect((await query(other, "{ me { name } }")).status).toBe(200);
    expect((await query(browser, end)).code).toBeUndefined();
    expect((await query(other, "{ me { name } }")).code).toBe("QSC_ACCESS_SESSION_OVER");
  });

  it("is one of twenty: the oldest makes room", async () => {
    const { browser, name } = await signedIn();
    for (let n = 0; n < 20; n += 1) await enter(openBrowser(), (await linkOf(name)).secret);
    expect((await query(browser, "{ me { name } }")).code).toBe("QSC_ACCESS_SESSION_OVER");
  });

  it("leaves its secret and that of its link neither in the database nor in a log", async () => {
    const { secret } = await linkOf();
    const browser = openBrowser();
    await enter(browser, secret);
    const kept = browser.cookies.get("quiesce") ?? "";
    const tables = ["session", "sign_in_link", "sign_in_attempt", "audit_entry", "event_inbox", "event_log", "principal"];
    const dumps = await Promise.all(tables.map((table) => api.database.sql.unsafe(`select t::text as row from ${table} as t`)));
    for (const text of [JSON.stringify(dumps), JSON.stringify(logged)])
      for (const one of [secret, kept]) expect(text).not.toContain(one.slice(4));
  });
});

/** A WebSocket as a browser opens it: the cookie is added whoever's page it is. */
function socketOf(headers: Record<string, string>, connectionParams: Record<string, string> = {}) {
  class Page extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { headers });
    }
  }
  const seen: string[] = [];
  const closed: number[] = [];
  const failed: unknown[] = [];
  const client = createClient({
    url: `${api.url.replace("http", "ws")}/graphql`,
    webSocketImpl: Page,
    retryAttempts: 0,
    connectionParams,
    lazyCloseTimeout: 60_000,
  });
  client.on("closed", (event) => void closed.push((event as { code: number }).code));
  const stop = client.subscribe<{ liveEvents: { subjectKey: string } }>(
    { query: 'subscription { liveEvents(kinds: ["system.touched"]) { subjectKey } }' },
    {
      next: ({ data }) => void (data && seen.push(data.liveEvents.subjectKey)),
      error: (error) => void failed.push(error),
      complete: () => undefined,
    },
  );
  return { seen, closed, failed, stop };
}
/** Watches until an event arrives, so that the socket is known to be open. A busy machine may take too long for one: then another is opened. */
async function watching(headers: Record<string, string>, params: Record<string, string> = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const watched = socketOf(headers, params);
    const isSettled = async () => (await emit("hello"), watched.seen.length + watched.closed.length + watched.failed.length > 0);
    await expect.poll(isSettled, { timeout: 60_000 }).toBe(true);
    if (watched.seen.length > 0) return watched;
    watched.stop();
    if (attempt === 3) throw new Error(`The socket was closed (${String(watched.closed)}): ${JSON.stringify(watched.failed)}`);
  }
}

describe("a session on a WebSocket", () => {
  it("is taken from a page of the server, and from no other", async () => {
    const { browser } = await signedIn();
    const cookie = browser.cookieHeader;
    const own = await watching({ cookie, origin: api.url });
    own.stop();
    for (const headers of [
      { cookie },
      { cookie, origin: "https://evil.example" },
      { cookie, origin: "null" },
      { cookie, "sec-fetch-site": "cross-site" },
    ] as Record<string, string>[]) {
      const other = socketOf(headers);
      await expect.poll(() => other.closed.length, { timeout: 60_000 }).toBe(1);
      expect(other.seen).toEqual([]);
    }
    // Also beside a foreign cookie the token of the first message counts.
    const byToken = await watching({ cookie: "quiesce=qss_wrong" }, { authorization: `Bearer ${api.tokens.viewer}` });
    byToken.stop();
  });

  it("is closed when the session ends, before anything later goes out", async () => {
    const { browser } = await signedIn();
    const watched = await watching({ cookie: browser.cookieHeader, origin: api.url });
    await browser.post(`${api.url}/auth/sign-out`, {});
    await emit("after");
    await expect.poll(() => watched.closed, { timeout: 60_000 }).toEqual([4401]);
    expect(watched.seen).not.toContain("after");
  });

  it("is closed when the account is disabled, and so are the sockets of its tokens, until it is enabled", async () => {
    const { browser, id } = await signedIn();
    const { id: robot } = await createServiceAccount(api.context, { name: "watcher", owner: "ops" });
    const token = await createToken(api.context, { name: "watcher-1", role: "viewer", account: "watcher" });
    const person = await watching({ cookie: browser.cookieHeader, origin: api.url });
    const program = await watching({}, { authorization: `Bearer ${token.secret}` });
    await disablePrincipal(api.context, { id });
    await disablePrincipal(api.context, { id: robot, reason: "left" });
    await emit("after");
    await expect.poll(() => [person.closed, program.closed], { timeout: 60_000 }).toEqual([[4401], [4401]]);
    expect([...person.seen, ...program.seen]).not.toContain("after");
    const answer = await api.ask("{ me { name } }", {}, token.secret);
    expect(answer.errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DISABLED");
    await enablePrincipal(api.context, { id: robot });
    expect((await api.ask("{ me { name } }", {}, token.secret)).data).toEqual({ me: { name: "watcher" } });
    expect((await query(browser, "{ me { name } }")).code).toBe("QSC_ACCESS_SESSION_OVER");
  });
});

describe("a server behind a proxy with https", () => {
  it("knows its pages by the address that browsers have, whatever host the proxy names, and sets cookies that nobody else can", async () => {
    const publicUrl = "https://quiesce.example.com";
    const before = api;
    api = await startApi({ publicUrl, trustedProxies: ["127.0.0.1"] });
    try {
      const browser = openBrowser();
      const { secret } = await linkOf();
      expect((await enter(browser, secret)).status).toBe(403);
      const response = await browser.post(`${api.url}/auth/link`, { secret }, { origin: publicUrl });
      expect(response.headers.getSetCookie()[0]).toMatch(/^__Host-quiesce=qss_.*; Secure$/);
      expect((await query(browser, "{ me { name } }", { origin: publicUrl })).data).toEqual({ me: { name: "admin" } });
      expect((await query(browser, "{ me { name } }")).code).toBe("QSC_ACCESS_CROSS_SITE");
      const watched = await watching({ cookie: browser.cookieHeader, origin: publicUrl });
      watched.stop();
      // A cookie without the prefix, as a neighbouring host could set it, is none of ours.
      const planted = openBrowser();
      planted.cookies.set("quiesce", browser.cookies.get("__Host-quiesce") ?? "");
      expect((await query(planted, "{ me { name } }", { origin: publicUrl })).code).toBe("QSC_ACCESS_TOKEN_MISSING");
    } finally {
      await api.stop();
      api = before;
    }
  });
});

describe("the name of a person", () => {
  it("can be erased from the audit trail, and its chain stays whole", async () => {
    const { browser, name } = await signedIn("admin");
    await sealAll(api.context);
    const erased = await query(
      await signedIn("admin").then((other) => other.browser),
      `mutation { eraseAuditPersonal(input: { actor: "person:${name}", reason: "request 9" }) { values } }`,
    );
    expect(erased.code).toBeUndefined();
    const left = await api.database.sql`select from audit_entry as a where position is not null and a::text like ${`%${name}"%`}`;
    expect(left.length).toBe(0);
    expect((await query(browser, "{ me { name } }")).data).toEqual({ me: { name } });
  });
});

describe("accounts", () => {
  it("own their names: a token acts in nobody else's", async () => {
    const { name, browser } = await signedIn("admin");
    await expect(createToken(api.context, { name, role: "admin" })).rejects.toMatchObject({ code: "QSC_ACCESS_NOT_OWN" });
    await expect(createToken(api.context, { name: "x", role: "admin", account: name })).rejects.toMatchObject({
      code: "QSC_ACCESS_NOT_OWN",
    });
    const made = await query(browser, `mutation { createToken(input: { name: "laptop", role: VIEWER, account: "${name}" }) { secret } }`);
    const { secret } = fieldOf(made.data, "createToken") as { secret: string };
    expect((await api.ask("{ me { name kind tokens { name } } }", {}, secret)).data).toEqual({
      me: { name, kind: "PERSON", tokens: [{ name: "laptop" }] },
    });
    await expect(createToken(api.context, { name: "x", role: "admin", account: "nobody" })).rejects.toMatchObject({
      code: "QSC_ACCESS_PRINCIPAL_NOT_FOUND",
    });
  });

  it("make tokens of their own in a session: in their name, and never with more than they may now", async () => {
    const { browser, name, id } = await signedIn("operator");
    const make = (expiresAt: string, label = "laptop") =>
      `mutation { createOwnToken(input: { name: "${label}", expiresAt: "${expiresAt}" }) { key secret } }`;
    const soon = new Date(Date.now() + 80 * 86_400_000).toISOString();
    expect((await query(browser, make(new Date(Date.now() + 100 * 86_400_000).toISOString()))).code).toBe("QSC_ACCESS_TOKEN_EXPIRY");
    const { key, secret } = fieldOf((await query(browser, make(soon))).data, "createOwnToken") as { key: string; secret: string };
    const asked = async () => {
      const { data, errors } = await api.ask("{ me { name grants { role } tokens { key } } }", {}, secret);
      return errors?.[0]?.extensions.code ?? data?.["me"];
    };
    expect(await asked()).toEqual({ name, grants: [{ role: "OPERATOR" }], tokens: [{ key }] });
    const [made] = await api.database.sql<
      { actor: string }[]
    >`select actor from audit_entry where action = 'token.create' and subject_key = ${key}`;
    expect(made?.actor).toBe(`person:${name}`);
    // A token makes no successor, and a program no token of its own.
    expect((await api.ask(make(soon), {}, secret)).errors?.[0]?.extensions.code).toBe("QSC_ACCESS_SESSION_NEEDED");
    await api.database.sql`update principal set grants = '[{"role": "viewer", "scope": {"kind": "all"}}]' where id = ${id}`;
    expect(await asked()).toMatchObject({ grants: [] });
    const pause = 'mutation { pause(input: { scope: { all: true }, reason: "more" }) { key } }';
    expect((await api.ask(pause, {}, secret)).errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DENIED");
    const stranger = await signedIn();
    const end = `mutation { revokeOwnToken(input: { key: "${key}" }) { key } }`;
    expect((await query(stranger.browser, end)).code).toBe("QSC_ACCESS_TOKEN_NOT_FOUND");
    expect((await query(browser, end)).code).toBeUndefined();
    expect(await asked()).toBe("QSC_ACCESS_TOKEN_REVOKED");
    for (let n = 0; n < 20; n += 1) await query(browser, make(soon, `t${n}`));
    expect((await query(browser, make(soon))).code).toBe("QSC_ACCESS_TOKEN_LIMIT");
  });

  it("are listed for those who may list tokens, and nobody disables the own one", async () => {
    const { browser, name, id } = await signedIn("admin");
    const found = await query(
      browser,
      `{ principal(key: "${name}") { key kind issuer disabledAt sessions { key } } principals(first: 5, filter: { kind: SERVICE }) { totalCount nodes { name owner tokens { prefix } } } }`,
    );
    expect(found.data).toMatchObject({ principal: { key: String(id), kind: "PERSON", issuer: null, disabledAt: null } });
    const nobody = await query(browser, '{ principal(key: "no such account") { key } }');
    expect(nobody.data).toEqual({ principal: null });
    expect((await query(browser, `mutation { disablePrincipal(input: { key: "${id}" }) { key } }`)).code).toBe("QSC_ACCESS_OWN_ACCOUNT");
    expect((await query(browser, 'mutation { disablePrincipal(input: { key: "999999" }) { key } }')).code).toBe(
      "QSC_ACCESS_PRINCIPAL_NOT_FOUND",
    );
  });
});
