import { type AuthMethod, ConnectorError, type ConnectorFetch, httpError, readText } from "@quiesce/sdk";
import { z } from "zod";
import { clock } from "../../clock.js";

/** Asking for a token takes at most so long; well below the lease of who asks. */
export const TOKEN_REQUEST_LIMIT_MS = 10_000;
/** A token whose life the system does not tell is asked for again after this time. */
const USUAL_LIFE_SECONDS = 300;

export type OAuthMethod = Extract<AuthMethod, { kind: `oauth2-${string}` }>;

/** What a token endpoint gave. */
export interface GrantedToken {
  readonly token: string;
  readonly lifeMs: number;
  /** A newer one than was sent, where systems hand these out. */
  readonly refreshToken: string | undefined;
}

const grantSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string().optional(),
  expires_in: z.coerce.number().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});
const refusalSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/** Asks a token endpoint (RFC 6749, 4.4 and 6). Throws `auth` for refused credentials, `config` for a scope or grant that it does not know. */
export async function requestToken(fetch: ConnectorFetch, method: OAuthMethod, refreshToken: string | undefined): Promise<GrantedToken> {
  const form = new URLSearchParams(
    method.kind === "oauth2-client-credentials"
      ? { grant_type: "client_credentials", ...method.parameters }
      : { grant_type: "refresh_token", refresh_token: refreshToken ?? method.refreshToken },
  );
  if (method.scopes !== undefined && method.scopes.length > 0) form.set("scope", method.scopes.join(" "));
  const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
  const { clientId, clientSecret } = method;
  if (method.clientAuthentication === "body" || clientSecret === undefined) {
    form.set("client_id", clientId);
    if (clientSecret !== undefined) form.set("client_secret", clientSecret);
  } else {
    headers["authorization"] = `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString("base64")}`;
  }
  // A token endpoint that redirects would be given the client's secret at another place.
  const response = await fetch(method.tokenUrl, {
    method: "POST",
    headers,
    body: form.toString(),
    redirect: "error",
    timeoutMs: TOKEN_REQUEST_LIMIT_MS,
  });
  const text = await readText(response);
  if (!response.ok) throw refusal(response, text);
  const grant = grantSchema.safeParse(jsonOf(text));
  if (!grant.success) throw new ConnectorError("contract", "The token endpoint answered something else than an access token.");
  const { access_token: token, token_type: type, expires_in: seconds, refresh_token: next } = grant.data;
  if (type !== undefined && type.toLowerCase() !== "bearer")
    throw new ConnectorError("contract", `The token endpoint gave a token of type "${type.slice(0, 40)}"; Bearer was expected.`);
  return { token, lifeMs: (seconds ?? USUAL_LIFE_SECONDS) * 1_000, refreshToken: next };
}

function refusal(response: Response, text: string): ConnectorError {
  const said = refusalSchema.safeParse(jsonOf(text));
  if (!said.success || response.status >= 500 || response.status === 429)
    return httpError(
      { status: response.status, headers: response.headers, text },
      "The request for an access token",
      new Date(clock.wallMs()),
    );
  const { error, error_description: words } = said.data;
  const what = `The token endpoint refused: ${error.slice(0, 100)}${words === undefined ? "" : ` (${words.slice(0, 300)})`}.`;
  const isCredentials =
    error === "invalid_client" || error === "invalid_grant" || error === "unauthorized_client" || error === "access_denied";
  return new ConnectorError(isCredentials ? "auth" : "config", what, { status: response.status });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Basic credentials of a client are form-encoded first (RFC 6749, 2.3.1). */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
