import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** What a test may have the provider do wrong with the next token. */
export interface Forgery {
  /** Claims that replace the honest ones; undefined takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Makes the whole token out of the honest claims. */
  readonly sign?: (claims: Readonly<Record<string, unknown>>, provider: FakeProvider) => Promise<string> | string;
}

/** A provider of identities that does as a test tells it: everything is honest but what the test forges. */
export interface FakeProvider {
  readonly issuer: string;
  readonly key: KeyPair;
  readonly kid: string;
  /** Its public key as anybody can read it. */
  readonly publicJwk: JWK;
  /** What the next tokens are to be. */
  forgery: Forgery;
  /** Who signs in. */
  person: Readonly<Record<string, unknown>>;
  /** How often its keys were asked for, and its tokens. */
  readonly asked: { keys: number; tokens: number };
  /** Goes through its door as a browser does, and answers the address that it sends the browser back to. */
  pass(authorization: URL): URL;
  stop(): Promise<void>;
}

const CLIENT = "quiesce-test";

export async function startFakeProvider(): Promise<FakeProvider> {
  const key = await generateKeyPair("RS256", { extractable: true });
  const publicJwk = { ...(await exportJWK(key.publicKey)), kid: "one", alg: "RS256", use: "sig" };
  const codes = new Map<string, URLSearchParams>();
  const asked = { keys: 0, tokens: 0 };
  const answer = async (request: IncomingMessage): Promise<object | null> => {
    switch (new URL(request.url ?? "", provider.issuer).pathname) {
      case "/.well-known/openid-configuration":
        return {
          issuer: provider.issuer,
          authorization_endpoint: `${provider.issuer}/authorize`,
          token_endpoint: `${provider.issuer}/token`,
          jwks_uri: `${provider.issuer}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          // A careless provider: what it says it supports is no reason to accept it.
          id_token_signing_alg_values_supported: ["RS256", "HS256", "none", "ES256"],
        };
      case "/keys":
        asked.keys += 1;
        return { keys: [publicJwk] };
      case "/token": {
        asked.tokens += 1;
        const form = new URLSearchParams(await text(request));
        const wanted = codes.get(form.get("code") ?? "");
        codes.delete(form.get("code") ?? "");
        if (wanted === undefined) return null;
        return { access_token: "an-access-token", token_type: "Bearer", expires_in: 60, id_token: await idToken(wanted) };
      }
      default:
        return null;
    }
  };
  const idToken = async (wanted: URLSearchParams): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    const honest = { iss: provider.issuer, aud: CLIENT, iat: now, exp: now + 300, nonce: wanted.get("nonce"), ...provider.person };
    const claims = Object.fromEntries(Object.entries({ ...honest, ...provider.forgery.claims }).filter(([, value]) => value !== undefined));
    if (provider.forgery.sign !== undefined) return provider.forgery.sign(claims, provider);
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "one" }).sign(key.privateKey);
  };
  const server = createServer((request, response) => {
    void answer(request).then((body) => {
      response.writeHead(body === null ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? { error: "invalid_grant" }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const provider: FakeProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    kid: "one",
    publicJwk,
    forgery: {},
    person: { sub: "ada", email: "ada@example.com", email_verified: true, groups: ["ops"] },
    asked,
    pass(authorization) {
      const { searchParams } = authorization;
      const code = `code-${codes.size}-${Math.random()}`;
      codes.set(code, searchParams);
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.searchParams.set("code", code);
      back.searchParams.set("state", searchParams.get("state") ?? "");
      return back;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return provider;
}
