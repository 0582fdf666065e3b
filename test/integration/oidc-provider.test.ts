import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIdentityProvider, type IdentityProvider } from "../../packages/server/src/access/oidc/identity-provider.js";
import { silentLog } from "../database/silent-log.js";
import { type Browser, openBrowser } from "../server/browser.js";
import { type StartedApi, startApi } from "../server/start-api.js";

const all = { kind: "all" } as const;
const people: { readonly [id: string]: object } = {
  ada: { email: "ada@example.com", email_verified: true, realm_access: { groups: ["staff", "platform"] } },
  eve: { email: "eve@example.com", email_verified: true, realm_access: { groups: ["guests"] } },
};
/** Who is at the keyboard. */
let somebody = "ada";
let provider: Server;
let identity: IdentityProvider;
let api: StartedApi;
const faults: string[] = [];

/** A certified provider of identities, on this machine. It asks nobody for a password: `somebody` signs in. */
async function startProvider(): Promise<{
  readonly server: Server;
  readonly issuer: string;
  readonly register: (redirectUri: string) => void;
}> {
  let handle: ReturnType<Provider["callback"]> = () => undefined;
  let oidc: Provider | null = null;
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/interaction/") === true && oidc !== null)
      void oidc.interactionFinished(request, response, { login: { accountId: somebody } });
    else handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = await Promise.all(
    ["RS256", "ES256"].map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: alg };
    }),
  );
  const register = (redirectUri: string): void => {
    const made = new Provider(issuer, {
      clients: [
        {
          client_id: "quiesce",
          client_secret: "a-secret-of-the-client-that-is-long-enough",
          redirect_uris: [redirectUri],
          response_types: ["code"],
          grant_types: ["authorization_code"],
          id_token_signed_response_alg: "ES256",
        },
      ],
      jwks: { keys },
      cookies: { keys: ["a-key-of-the-test"] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context: unknown, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}` },
      pkce: { required: () => true },
      claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["realm_access"] },
      scopes: ["openid", "email", "groups"],
      ttl: { Grant: 600, Interaction: 600, Session: 600, AccessToken: 600, IdToken: 600 },
      findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
      // Nobody is asked whether they agree.
      loadExistingGrant: async ({
        oidc: { session, client },
      }: {
        oidc: { session: { accountId: string }; client: { clientId: string } };
      }) => {
        const grant = new made.Grant({ accountId: session.accountId, clientId: client.clientId });
        grant.addOIDCScope("openid email groups");
        await grant.save();
        return grant;
      },
    });
    made.on("server_error", (_context, error) => void faults.push(error.message));
    oidc = made;
    handle = made.callback();
  };
  return { server, issuer, register };
}

beforeAll(async () => {
  const started = await startProvider();
  provider = started.server;
  identity = createIdentityProvider(
    {
      issuer: started.issuer,
      clientId: "quiesce",
      clientSecret: "a-secret-of-the-client-that-is-long-enough",
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
  started.register(`${api.url}/auth/oidc/callback`);
});
afterAll(async () => {
  await api.stop();
  await identity.close();
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
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
    expect([response.status, response.headers.get("location"), faults]).toEqual([303, "/graphql", []]);
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
    somebody = "eve";
    const { browser, response } = await follow(`${api.url}/auth/oidc/start`);
    expect([response.status, browser.cookies.has("quiesce")]).toEqual([403, false]);
    expect(await response.text()).toContain("QSC_ACCESS_NO_ROLE");
    expect((await api.database.sql`select from principal where subject = 'eve'`).length).toBe(0);
  });
});
