import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

/** The secret that the provider gave the client "quiesce". */
export const CLIENT_SECRET = "a-secret-of-the-client-that-is-long-enough";

const people: { readonly [id: string]: object } = {
  ada: { email: "ada@example.com", email_verified: true, realm_access: { groups: ["staff", "platform"] } },
  eve: { email: "eve@example.com", email_verified: true, realm_access: { groups: ["guests"] } },
};

export interface StartedProvider {
  readonly issuer: string;
  /** What went wrong inside it. */
  readonly faults: readonly string[];
  /** Takes the client with this redirect address; nobody signs in before. */
  register(redirectUri: string): void;
  /** Who is at the keyboard from now on: ada, or eve whose groups grant nothing. */
  seat(somebody: "ada" | "eve"): void;
  stop(): Promise<void>;
}

/** A certified provider of identities, on this machine. It asks nobody for a password: whoever is seated signs in. */
export async function startOidcProvider(): Promise<StartedProvider> {
  const faults: string[] = [];
  let somebody = "ada";
  let handle: ReturnType<Provider["callback"]> = () => undefined;
  let oidc: Provider | null = null;
  const server: Server = createServer((request, response) => {
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
          client_secret: CLIENT_SECRET,
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
  return {
    issuer,
    faults,
    register,
    seat: (one) => {
      somebody = one;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
