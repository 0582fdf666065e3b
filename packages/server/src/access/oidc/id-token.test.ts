import { createLocalJWKSet, errors, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { clockLeewaySeconds, verifyIdToken } from "./id-token.js";

/**
 * The library that trades the code verifies the token as well. Here it is not asked: each of these tokens is signed by the provider's own key, and only our
 * own look at its claims stands between it and a session.
 */
const expected = { issuer: "https://login.example.com", clientId: "quiesce", nonce: "nonce-of-this-browser" };

let keys: JWTVerifyGetKey;
let sign: (claims: object) => Promise<string>;

beforeAll(async () => {
  const pair = await generateKeyPair("ES256");
  keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256" }] });
  sign = (claims) => {
    const now = Math.floor(Date.now() / 1_000);
    const honest = { iss: expected.issuer, aud: expected.clientId, sub: "ada", iat: now, exp: now + 300, nonce: expected.nonce };
    const told = Object.fromEntries(Object.entries({ ...honest, ...claims }).filter(([, value]) => value !== undefined));
    return new SignJWT(told).setProtectedHeader({ alg: "ES256", kid: "one" }).sign(pair.privateKey);
  };
});

const verified = async (claims: object) => verifyIdToken(await sign(claims), keys, expected);
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

describe("a token that the provider has signed", () => {
  it("is believed when it was made for this server and this sign-in", async () => {
    expect(await verified({ email: "ada@example.com" })).toMatchObject({ sub: "ada", iss: expected.issuer, email: "ada@example.com" });
    expect(await verified({ aud: [expected.clientId] })).toMatchObject({ sub: "ada" });
    expect(await verified({ aud: ["another", expected.clientId], azp: expected.clientId })).toMatchObject({ sub: "ada" });
  });

  it.each([
    ["the nonce of another sign-in", { nonce: "nonce-of-another-browser" }, "nonce"],
    ["a nonce that begins like ours", { nonce: "nonce-of-this-browser-and-more" }, "nonce"],
    ["an empty nonce", { nonce: "" }, "nonce"],
    ["no nonce", { nonce: undefined }, "nonce"],
    ["another audience", { aud: "another" }, "aud"],
    ["audiences without ours", { aud: ["another", "a-third"] }, "aud"],
    ["no audience", { aud: undefined }, "aud"],
    ["several audiences, and no word for which of them", { aud: [expected.clientId, "another"] }, "azp"],
    ["our audience, made for another party", { azp: "another" }, "azp"],
    ["several audiences, made for another party", { aud: [expected.clientId, "another"], azp: "another" }, "azp"],
    ["another issuer", { iss: "https://login.example.com.evil.example" }, "iss"],
    ["no subject", { sub: undefined }, "sub"],
    ["an empty subject", { sub: "" }, "sub"],
    ["a subject that is too long", { sub: "a".repeat(256) }, "sub"],
    ["no end", { exp: undefined }, "exp"],
    ["no beginning", { iat: undefined }, "iat"],
  ])("is refused for %s", async (_what, claims, claim) => {
    await expect(verified(claims)).rejects.toMatchObject({ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim });
  });

  it("is refused after its end, beyond what two clocks may differ", async () => {
    expect(await verified({ exp: inSeconds(10 - clockLeewaySeconds) })).toMatchObject({ sub: "ada" });
    await expect(verified({ exp: inSeconds(-10 - clockLeewaySeconds) })).rejects.toBeInstanceOf(errors.JWTExpired);
  });
});
