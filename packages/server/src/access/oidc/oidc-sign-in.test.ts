import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { type Browser, openBrowser } from "../../../../../test/server/browser.js";
import { type FakeProvider, type Forgery, startFakeProvider } from "../../../../../test/server/fake-provider.js";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { createIdentityProvider, type IdentityProvider } from "./identity-provider.js";
import { createServiceAccount, disablePrincipal } from "../principals.js";
import { createOwnAddress } from "../../http/session-cookie.js";

const all = { kind: "all" } as const;
const logged: unknown[] = [];
let fake: FakeProvider;
let provider: IdentityProvider;
let api: StartedApi;

const settings = () => ({
  issuer: fake.issuer,
  clientId: "quiesce-test",
  clientSecret: "client-secret-of-the-test",
  scopes: "openid profile email",
  roleClaim: "groups",
  mappings: [
    { value: "ops", grant: { role: "operator", scope: all } },
    { value: "root", grant: { role: "admin", scope: all } },
  ] as const,
  defaultRole: null,
  nameClaim: "email",
});

const honest = { sub: "ada", email: "ada@example.com", email_verified: true, groups: ["ops"] };
const keep = (fields: object, message: string) => void logged.push(fields, message);
const log = { info: keep, warn: keep, error: keep };

beforeAll(async () => {
  fake = await startFakeProvider();
  provider = createIdentityProvider(settings(), { log });
  api = await startApi({ log, identityProvider: provider, trustedProxies: ["127.0.0.1"] });
});
afterAll(async () => {
  await api.stop();
  await provider.close();
  await fake.stop();
});
beforeEach(() => {
  fake.forgery = {};
  fake.person = honest;
});

/** A browser that was sent to the provider, and the address that the provider sends it back to. */
async function atProvider(
  browser: Browser = openBrowser(),
  returnTo = "/graphql?x=1",
): Promise<{ browser: Browser; back: URL; authorization: URL }> {
  const started = await browser.get(`${api.url}/auth/oidc/start?returnTo=${encodeURIComponent(returnTo)}`);
  expect(started.status).toBe(303);
  const authorization = new URL(started.headers.get("location") ?? "");
  return { browser, back: fake.pass(authorization), authorization };
}
async function signIn(browser?: Browser): Promise<{ browser: Browser; response: Response }> {
  const { browser: used, back } = await atProvider(browser);
  return { browser: used, response: await used.get(back) };
}
interface Me {
  readonly name: string;
  readonly email: string;
  readonly grants: readonly { readonly role: string }[];
}
const MINE = "{ me { name kind email grants { role scope { kind } } session { method } tokens { key } } }";
/** What the API says to a browser: who it is, or why not. */
const ask = async (browser: Browser) => {
  const answer = (await (await browser.post(`${api.url}/graphql`, { query: MINE })).json()) as {
    readonly data?: { readonly me: Me };
    readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  };
  return { me: answer.data?.me, code: answer.errors?.[0]?.extensions.code };
};
const codeIn = async (response: Response) => /QSC_[A-Z_]+/.exec(await response.text())?.[0] ?? "none";
describe("signing in at a provider of identities", () => {
  it("begins a session with the grants of the claims, and goes back to where one came from", async () => {
    const { browser, back, authorization } = await atProvider();
    expect(Object.fromEntries(authorization.searchParams)).toMatchObject({
      code_challenge_method: "S256",
      response_type: "code",
      client_id: "quiesce-test",
      scope: "openid profile email",
    });
    const response = await browser.get(back);
    expect([response.status, response.headers.get("location")]).toEqual([303, "/graphql?x=1"]);
    expect(browser.cookies.has("quiesce-sign-in")).toBe(false);
    const cookie = response.headers.getSetCookie().find((line) => line.startsWith("quiesce="));
    expect(cookie).toMatch(/^quiesce=qss_[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/);
    expect((await ask(browser)).me).toMatchObject({
      name: "ada@example.com",
      kind: "PERSON",
      email: "ada@example.com",
      grants: [{ role: "OPERATOR", scope: { kind: "ALL" } }],
      session: { method: "OIDC" },
      tokens: [],
    });
    const trail = await api.database
      .sql`select actor, action from audit_entry where subject_kind in ('principal', 'session') order by id desc limit 2`;
    expect([...trail].toReversed().map(({ actor, action }) => [actor, action])).toEqual([
      ["system:quiesce", "principal.create"],
      ["person:ada@example.com", "session.start"],
    ]);
  });

  it("knows a person by issuer and subject: a new address of theirs makes nobody new, and takes nobody's name", async () => {
    await signIn();
    fake.person = { ...honest, email: "ada.new@example.com" };
    const { browser } = await signIn();
    expect((await ask(browser)).me).toMatchObject({ name: "ada@example.com", email: "ada.new@example.com" });
    // Approvals go by names: somebody whose provider says another one's name gets one that differs.
    await createServiceAccount(api.context, { name: "robot@example.com", owner: "ops" });
    for (const [sub, email, name] of [
      ["eve", "ADA@example.com", "ADA@example.com (2)"],
      ["mal", "robot@example.com", "robot@example.com (2)"],
      ["una", "grace@example.com", "una"],
    ] as const) {
      fake.person = { sub, email, groups: ["ops"], email_verified: sub !== "una" };
      expect((await ask((await signIn()).browser)).me?.name).toBe(name);
    }
  });

  it("takes over what the claims say at each sign-in: less at once, nothing ends all sessions", async () => {
    fake.person = { ...honest, sub: "joan", email: "joan@example.com", groups: ["root"] };
    const first = await signIn();
    const may = async () => (await ask(first.browser)).me?.grants.map(({ role }) => role);
    expect(await may()).toEqual(["ADMIN"]);
    fake.person = { ...fake.person, groups: ["ops"] };
    await signIn();
    expect(await may()).toEqual(["OPERATOR"]);
    fake.person = { ...fake.person, groups: ["guests"] };
    const { response, browser } = await signIn();
    expect([response.status, await codeIn(response), browser.cookies.size]).toEqual([403, "QSC_ACCESS_NO_ROLE", 1]);
    expect((await ask(first.browser)).code).toBe("QSC_ACCESS_SESSION_OVER");
  });

  it("keeps out an account that is disabled, also with a session that it has", async () => {
    fake.person = { ...honest, sub: "dora", email: "dora@example.com" };
    const { browser } = await signIn();
    const [row] = await api.database.sql<{ id: number }[]>`select id from principal where subject = 'dora'`;
    await disablePrincipal(api.context, { id: row?.id ?? 0 });
    expect((await ask(browser)).code).toBe("QSC_ACCESS_SESSION_OVER");
    const again = await signIn();
    expect([again.response.status, await codeIn(again.response)]).toEqual([403, "QSC_ACCESS_DISABLED"]);
  });
});

describe("a callback", () => {
  it("is good once, in the browser that began, with its own state", async () => {
    const { browser, back } = await atProvider();
    const stranger = openBrowser();
    expect(await codeIn(await stranger.get(back))).toBe("QSC_ACCESS_SIGN_IN_OVER");
    // Somebody else's callback, finished in a browser that began a sign-in of its own.
    const other = await atProvider();
    expect(await codeIn(await other.browser.get(back))).toBe("QSC_ACCESS_SIGN_IN_OVER");
    const cookie = browser.cookieHeader;
    expect((await browser.get(back)).status).toBe(303);
    const replay = await fetch(back, { headers: { cookie }, redirect: "manual" });
    expect([replay.status, await codeIn(replay), replay.headers.getSetCookie()]).toEqual([401, "QSC_ACCESS_SIGN_IN_OVER", []]);
    for (const change of [(url: URL) => url.searchParams.delete("state"), (url: URL) => url.searchParams.set("state", "x")]) {
      const { browser: third, back: changed } = await atProvider();
      change(changed);
      expect(await codeIn(await third.get(changed))).toBe("QSC_ACCESS_SIGN_IN_OVER");
    }
  });

  it("of a sign-in that took too long is refused", async () => {
    const { browser, back } = await atProvider();
    await api.database.sql`update sign_in_attempt set expires_at = app_now()`;
    expect(await codeIn(await browser.get(back))).toBe("QSC_ACCESS_SIGN_IN_OVER");
  });

  it("never goes to another site afterwards", async () => {
    for (const returnTo of ["https://evil.example", "//evil.example", "/\\evil.example", "/auth/sign-out"]) {
      const { browser, back } = await atProvider(openBrowser(), returnTo);
      expect((await browser.get(back)).headers.get("location")).toBe("/");
    }
  });

  it("with the provider's refusal says so, and repeats nothing that the address holds", async () => {
    const { browser, authorization } = await atProvider();
    const back = new URL(`${api.url}/auth/oidc/callback`);
    back.search = new URLSearchParams({
      error: "access_denied",
      error_description: "<script>alert(1)</script>",
      state: authorization.searchParams.get("state") ?? "",
    }).toString();
    const response = await browser.get(back);
    const page = await response.text();
    expect([response.status, page.includes("QSC_ACCESS_OIDC_REFUSED"), page.includes("access_denied"), page.includes("alert(1)")]).toEqual([
      401,
      true,
      true,
      false,
    ]);
  });

  it("ends the session that the browser had, and never takes a session from outside", async () => {
    const planted = `qss_${"a".repeat(43)}`;
    const browser = openBrowser();
    browser.cookies.set("quiesce", planted);
    await signIn(browser);
    const first = browser.cookies.get("quiesce");
    expect(first).not.toBe(planted);
    await signIn(browser);
    expect(browser.cookies.get("quiesce")).not.toBe(first);
    const old = openBrowser();
    old.cookies.set("quiesce", first ?? "");
    expect((await ask(old)).code).toBe("QSC_ACCESS_SESSION_OVER");
  });
});

describe("an ID token", () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const hs256 = async (claims: Readonly<Record<string, unknown>>, secret: string) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const head = `${part({ alg: "HS256", kid: "one" })}.${part(claims)}`;
    return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
  };
  const tricks: { readonly [name: string]: () => Forgery } = {
    "without a signature": () => ({ sign: (claims) => new UnsecuredJWT(claims).encode() }),
    "signed by HS256 with the public key": () => ({ sign: async (claims, { key }) => hs256(claims, await exportSPKI(key.publicKey)) }),
    "signed by HS256 with the client's secret": () => ({ sign: (claims) => hs256(claims, settings().clientSecret) }),
    "signed by another key under the known name": () => ({
      sign: async (claims) =>
        new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "one" }).sign((await generateKeyPair("RS256")).privateKey),
    }),
    "that brings its own key": () => ({
      sign: async (claims, { publicJwk }) => {
        const { privateKey } = await generateKeyPair("RS256");
        return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "mine", jwk: publicJwk }).sign(privateKey);
      },
    }),
    "for another audience": () => ({ claims: { aud: "somebody-else" } }),
    "for several audiences without saying whose it is": () => ({ claims: { aud: ["quiesce-test", "somebody-else"] } }),
    "made for another party": () => ({ claims: { aud: ["quiesce-test", "x"], azp: "x" } }),
    "of another issuer": () => ({ claims: { iss: "https://evil.example" } }),
    "that has expired beyond the leeway": () => ({ claims: { exp: now() - 90 } }),
    "that is not valid yet": () => ({ claims: { nbf: now() + 90 } }),
    "without an end": () => ({ claims: { exp: undefined } }),
    "with another sign-in's nonce": () => ({ claims: { nonce: "n-of-yesterday" } }),
    "without a nonce": () => ({ claims: { nonce: undefined } }),
    "without a subject": () => ({ claims: { sub: undefined } }),
    "that is none": () => ({ sign: () => "not.a.token" }),
  };
  it.each(Object.entries(tricks))("%s lets nobody in", async (_name, forged) => {
    fake.forgery = forged();
    const { browser, response } = await signIn();
    expect([response.status, await codeIn(response), browser.cookies.has("quiesce")]).toEqual([401, "QSC_ACCESS_OIDC_INVALID", false]);
    fake.forgery = {};
    expect((await signIn()).response.status).toBe(303);
  });

  it("within a minute of its times is believed: clocks differ", async () => {
    for (const claims of [{ exp: now() - 30, iat: now() - 60 }, { nbf: now() + 30 }]) {
      fake.forgery = { claims };
      expect((await signIn()).response.status).toBe(303);
    }
  });

  it("with an unknown key makes the keys be fetched once, however many come", async () => {
    await signIn();
    const before = fake.asked.keys;
    const { privateKey } = await generateKeyPair("RS256");
    let n = 0;
    fake.forgery = {
      sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: `unknown-${(n += 1)}` }).sign(privateKey),
    };
    for (let times = 0; times < 8; times += 1) expect((await signIn()).response.status).toBe(401);
    expect(fake.asked.keys - before).toBeLessThanOrEqual(1);
  });

  it("and its code and the client's secret are in no log", () => {
    const text = JSON.stringify(logged);
    expect(text).toContain("a sign-in at the identity provider failed");
    for (const secret of [settings().clientSecret, "code-", "an-access-token", "eyJ"]) expect(text).not.toContain(secret);
  });
});

describe("too many failures", () => {
  it("lock the address at the sign-in, say for how long, and are written down once", async () => {
    const { database, url } = api;
    const refusals = async () => (await database.sql`select from audit_entry where action = 'sign-in.refuse'`).length;
    const before = await refusals();
    const address = "203.0.113.7";
    const answers: number[] = [];
    let last: Response | null = null;
    for (let times = 0; times < 16; times += 1) {
      last = await openBrowser({ address }).get(`${url}/auth/oidc/callback?state=${times}`);
      answers.push(last.status);
    }
    expect(answers.filter((status) => status === 401)).toHaveLength(11);
    expect(answers.slice(11)).toEqual([429, 429, 429, 429, 429]);
    expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(20);
    // A right link is not looked at either.
    expect((await openBrowser({ address }).get(`${url}/auth/oidc/start`)).status).toBe(429);
    expect((await signIn()).response.status).toBe(303);
    // Tokens are: nobody can guess them, and colleagues share an address.
    const headers = { authorization: `Bearer ${api.tokens.viewer}`, "x-forwarded-for": address };
    expect((await fetch(`${url}/graphql?query={me{name}}`, { headers })).status).toBe(200);
    await expect
      .poll(async () => (await database.sql`select from audit_entry where action = 'attempts.lock'`).length, { timeout: 60_000 })
      .toBe(1);
    // One by one while there are few, and never one for each of many.
    expect((await refusals()) - before).toBeLessThanOrEqual(11);
  });
});

describe("cookies", () => {
  it("of a server with an address of https are Secure and have the prefix that nobody else can set", () => {
    const own = createOwnAddress("https://quiesce.example.com");
    const lines: string[] = [];
    const response = { getHeader: () => undefined, setHeader: (_name: string, value: string[]) => void lines.push(...value) };
    own.set(response as never, "session", { value: "x", maxAgeSeconds: 60 });
    expect(lines).toEqual(["__Host-quiesce=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"]);
    const request = { method: "POST", headers: { host: "127.0.0.1:4000", origin: "http://127.0.0.1:4000" } } as never;
    expect([own.isOwnPage(request), createOwnAddress(undefined).isOwnPage(request)]).toEqual([false, true]);
    expect(createOwnAddress(undefined).originOf({ headers: { host: "10.0.0.5:4000" } } as never)).toBeNull();
  });
});
