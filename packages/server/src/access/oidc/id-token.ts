import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";

/** Claims of a token whose signature, issuer, audience, times and nonce were verified. */
export type IdClaims = JWTPayload & { readonly sub: string; readonly iss: string };

/** The clocks of two machines may differ by so much. */
export const clockLeewaySeconds = 60;

/**
 * Signatures by a key pair, and nothing else, whatever the token or the provider say: with `none` anybody signs, and with HS256 anybody who has read
 * the public key.
 */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
const SUBJECT_MAX = 255;

/** Verifies an ID token by OpenID Connect Core 1.0, section 3.1.3.7. Throws jose's errors. */
export async function verifyIdToken(
  token: string,
  keys: JWTVerifyGetKey,
  expected: { readonly issuer: string; readonly clientId: string; readonly nonce: string },
): Promise<IdClaims> {
  const { payload } = await jwtVerify(token, keys, {
    algorithms,
    issuer: expected.issuer,
    audience: expected.clientId,
    clockTolerance: clockLeewaySeconds,
    requiredClaims: ["iss", "aud", "sub", "exp", "iat", "nonce"],
  });
  const { sub, iss, nonce, azp, aud } = payload;
  const refuse = (claim: string): never => {
    throw new errors.JWTClaimValidationFailed(`unexpected "${claim}" claim value`, payload, claim, "check_failed");
  };
  if (nonce !== expected.nonce) refuse("nonce");
  // A token for several parties says for which of them it was made.
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) refuse("azp");
  if (azp !== undefined && azp !== expected.clientId) refuse("azp");
  if (sub === undefined || sub === "" || sub.length > SUBJECT_MAX || iss === undefined) return refuse("sub");
  return { ...payload, sub, iss };
}
