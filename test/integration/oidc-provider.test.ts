import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIdentityProvider, type IdentityProvider } from "../../packages/server/src/access/oidc/identity-provider.js";
import { silentLog } from "../database/silent-log.js";
import { type Browser, openBrowser } from "../server/browser.js";
import { CLIENT_SECRET, type StartedProvider, startOidcProvider } from "../server/start-oidc-provider.js";
import { type StartedApi, startApi } from "../server/start-api.js";

const all = { kind: "all" } as const;
let provider: StartedProvider;
let identity: IdentityProvider;
let api: StartedApi;

beforeAll(async () => {
  provider = await startOidcProvider();
  identity = createIdentityProvider(
    {
      issuer: provider.issuer,
      clientId: "quiesce",
      clientSecret: CLIENT_SECRET,
      scopes: "openid email groups",
      roleClaim: "realm_access.groups",
      mappings: [
        { value: "platform", grant: { role: "admin", scope: all } },
        { value: "staff", grant: { role: "operator", scope: { kind: "team", name: "sales-team" } } },
      ],
      defaultRole: null,
      nameClaim: "email",
    },
    { log: silentLog },
  );
  api = await startApi({ identityProvider: identity, trustedProxies: ["127.0.0.1"] });
  provider.register(`${api.url}/auth/oidc/callback`);
});
afterAll(async () => {
  await api.stop();
  await identity.close();
  await provider.stop();
});

/** Follows redirects between the server and the provider, as a browser does; a host's cookies are its own there as here. */
async function follow(
  address: string,
): Promise<{ readonly browser: Browser; readonly response: Response; readonly passed: readonly string[] }> {
  const browser = openBrowser();
  const passed: string[] = [];
  let target = new URL(address);
  for (let steps = 0; steps < 12; steps += 1) {
    const response = await browser.get(target);
    passed.push(target.pathname);
    const location = response.headers.get("location");
    if (location === null || (target.origin === api.url && target.pathname === "/auth/oidc/callback")) return { browser, response, passed };
    target = new URL(location, target);
  }
  throw new Error(`No end of redirects: ${passed.join(" ")}`);
}

describe("signing in at oidc-provider", () => {
  it("brings a session with what the person's groups grant, asked of the provider when the token does not say", async () => {
    const { browser, response, passed } = await follow(`${api.url}/auth/oidc/start?returnTo=/graphql`);
    expect([response.status, response.headers.get("location"), provider.faults]).toEqual([303, "/graphql", []]);
    expect(passed.some((path) => path.startsWith("/interaction/"))).toBe(true);
    const answer = await browser.post(`${api.url}/graphql`, {
      query: "{ me { name email grants { role scope { kind name } } session { method } } }",
    });
    expect(await answer.json()).toEqual({
      data: {
        me: {
          name: "ada@example.com",
          email: "ada@example.com",
          grants: [
            { role: "ADMIN", scope: { kind: "ALL", name: null } },
            { role: "OPERATOR", scope: { kind: "TEAM", name: "sales-team" } },
          ],
          session: { method: "OIDC" },
        },
      },
    });
  });

  it("keeps out somebody whose groups grant nothing, with a page that says so", async () => {
    provider.seat("eve");
    const { browser, response } = await follow(`${api.url}/auth/oidc/start`);
    expect([response.status, browser.cookies.has("quiesce")]).toEqual([403, false]);
    expect(await response.text()).toContain("QSC_ACCESS_NO_ROLE");
    expect((await api.database.sql`select from principal where subject = 'eve'`).length).toBe(0);
  });
});
