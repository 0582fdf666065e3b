import { type ClaimMapping, DomainError, type Role } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { createRemoteJWKSet, customFetch as joseFetch, errors as joseErrors } from "jose";
import * as client from "openid-client";
import { clock } from "../../clock.js";
import type { Log } from "../../log.js";
import { clockLeewaySeconds, type IdClaims, verifyIdToken } from "./id-token.js";
import { createProviderFetch } from "./provider-fetch.js";

/** Where people sign in, and what their claims mean here. */
export interface OidcSettings {
  /** As the provider writes itself: https://login.example.com/realms/staff. */
  readonly issuer: string;
  readonly clientId: string;
  /** null: a public client, with PKCE alone. */
  readonly clientSecret: string | null;
  readonly scopes: string;
  readonly roleClaim: string;
  readonly mappings: readonly ClaimMapping[];
  /** Of those whom no mapping fits; null: they may not come in. */
  readonly defaultRole: Role | null;
  readonly nameClaim: string;
}

/** What one sign-in has to keep between its two halves; all of it derived from a secret that only the browser has. */
export interface SignInKeys {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** A provider of identities by OpenID Connect: the code flow with PKCE. */
export interface IdentityProvider {
  readonly settings: OidcSettings;
  /** The address at the provider to send the browser to. Throws QSC_ACCESS_OIDC_UNAVAILABLE. */
  begin(keys: SignInKeys, redirectUri: string): Promise<URL>;
  /** Trades the code in the callback's address for claims that were verified. Throws QSC_ACCESS_OIDC_UNAVAILABLE, QSC_ACCESS_OIDC_REFUSED, QSC_ACCESS_OIDC_INVALID. */
  finish(keys: SignInKeys, callback: URL): Promise<IdClaims>;
  close(): Promise<void>;
}

/** What a provider says of itself changes seldom. */
const DISCOVERED_FOR_MS = 3_600_000;
/** A provider that does not answer is asked again at most so often, however many people try. */
const DISCOVERY_REST_MS = 5_000;
const REQUEST_SECONDS = 10;
/** A token with an unknown key makes us look for new keys, at most so often. */
const KEYS_COOLDOWN_MS = 30_000;
const KEYS_KEPT_MS = 600_000;

interface Discovered {
  readonly config: client.Configuration;
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
}

export function createIdentityProvider(
  settings: OidcSettings,
  services: { readonly log: Log; readonly privateHosts?: readonly string[] },
): IdentityProvider {
  const { log } = services;
  const outside = createProviderFetch(settings.issuer, services.privateHosts ?? []);
  let known: { readonly discovery: Promise<Discovered>; readonly at: number } | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;

  const discover = (): Promise<Discovered> => {
    const now = clock.monotonicMs();
    if (known !== null && now - known.at < DISCOVERED_FOR_MS) return known.discovery;
    if (now - failedAt < DISCOVERY_REST_MS) return Promise.reject(unavailable(settings.issuer));
    const discovery = ask(settings, outside.fetch);
    known = { discovery, at: now };
    discovery.catch(() => {
      failedAt = clock.monotonicMs();
      known = null;
    });
    return discovery;
  };

  const asDomainError = (error: unknown): DomainError => {
    if (error instanceof DomainError) return error;
    const { name, message, code } = namesOf(error);
    // The causes that libraries attach hold codes and tokens: names and messages alone are logged.
    log.warn({ name, code, detail: message.slice(0, 300), issuer: settings.issuer }, "a sign-in at the identity provider failed");
    if (error instanceof client.AuthorizationResponseError)
      return new DomainError(
        "QSC_ACCESS_OIDC_REFUSED",
        `The identity provider did not let you in (${plain(error.error)}). Try again, or ask whoever runs it.`,
      );
    if (isUnreachable(error)) return unavailable(settings.issuer);
    return new DomainError(
      "QSC_ACCESS_OIDC_INVALID",
      "What the identity provider sent does not prove who you are. Begin again; if it stays so, ask an admin to look into the server's log.",
    );
  };

  return {
    settings,
    begin: async (keys, redirectUri) => {
      try {
        const { config } = await discover();
        return client.buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          scope: settings.scopes,
          state: keys.state,
          nonce: keys.nonce,
          code_challenge: await client.calculatePKCECodeChallenge(keys.codeVerifier),
          code_challenge_method: "S256",
        });
      } catch (error) {
        throw asDomainError(error);
      }
    },
    finish: async (keys, callback) => {
      try {
        const { config, keys: keySet } = await discover();
        const tokens = await client.authorizationCodeGrant(config, callback, {
          pkceCodeVerifier: keys.codeVerifier,
          expectedState: keys.state,
          expectedNonce: keys.nonce,
          idTokenExpected: true,
        });
        const { issuer } = config.serverMetadata();
        const claims = await verifyIdToken(tokens.id_token ?? "", keySet, { issuer, clientId: settings.clientId, nonce: keys.nonce });
        return await withUserInfo(config, tokens.access_token, claims, settings);
      } catch (error) {
        throw asDomainError(error);
      }
    },
    close: () => outside.close(),
  };
}

async function ask(settings: OidcSettings, fetch: client.CustomFetch): Promise<Discovered> {
  const issuer = new URL(settings.issuer);
  const auth = settings.clientSecret === null ? client.None() : client.ClientSecretBasic(settings.clientSecret);
  const config = await client.discovery(
    issuer,
    settings.clientId,
    { [client.clockTolerance]: clockLeewaySeconds, ...(settings.clientSecret === null ? {} : { client_secret: settings.clientSecret }) },
    auth,
    {
      [client.customFetch]: fetch,
      timeout: REQUEST_SECONDS,
      // Only an issuer on this machine may speak plain http: the settings refuse any other.
      execute: issuer.protocol === "http:" ? [client.allowInsecureRequests] : [],
    },
  );
  const { jwks_uri: keysAddress, authorization_endpoint: door, token_endpoint: exchange } = config.serverMetadata();
  if (keysAddress === undefined || door === undefined || exchange === undefined)
    throw new DomainError("QSC_ACCESS_OIDC_UNAVAILABLE", `${settings.issuer} names no address for its keys, its sign-in or its tokens.`);
  const keys = createRemoteJWKSet(new URL(keysAddress), {
    [joseFetch]: (url, { headers, method, redirect, signal }) =>
      fetch(url, { body: null, headers: Object.fromEntries(headers), method, redirect, signal }),
    timeoutDuration: REQUEST_SECONDS * 1_000,
    cooldownDuration: KEYS_COOLDOWN_MS,
    cacheMaxAge: KEYS_KEPT_MS,
  });
  return { config, keys };
}

/** Many providers put groups and names into the token only when told to; the rest they say when asked with the access token. */
async function withUserInfo(
  config: client.Configuration,
  accessToken: string,
  claims: IdClaims,
  settings: OidcSettings,
): Promise<IdClaims> {
  const isComplete = [settings.roleClaim, settings.nameClaim].every((name) => Object.hasOwn(claims, name.split(".")[0] ?? ""));
  if (isComplete || config.serverMetadata().userinfo_endpoint === undefined) return claims;
  const more = await client.fetchUserInfo(config, accessToken, claims.sub);
  // What was signed goes before what was not.
  return { ...more, ...claims };
}

function unavailable(issuer: string): DomainError {
  return new DomainError(
    "QSC_ACCESS_OIDC_UNAVAILABLE",
    `The identity provider ${issuer} does not answer as it should. Try again in a moment; an admin of this machine gets in with: quiesce sign-in-link.`,
  );
}

function isUnreachable(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof ConnectorError || cause instanceof joseErrors.JWKSTimeout || cause.name === "TimeoutError") return true;
    if ("code" in cause && cause.code === "OAUTH_RESPONSE_IS_NOT_CONFORM") return true;
  }
  return false;
}

function namesOf(error: unknown): { readonly name: string; readonly message: string; readonly code: string } {
  if (!(error instanceof Error)) return { name: "unknown", message: "", code: "" };
  return { name: error.name, message: error.message, code: "code" in error ? String(error.code) : "" };
}

/** The provider's code for a refusal, as RFC 6749 has them; what the address holds beside may be anything. */
function plain(code: string): string {
  return /^[a-z_]{1,40}$/.test(code) ? code : "an unknown reason";
}
