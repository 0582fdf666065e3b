import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../../../test/tls/certificates.js";
import { type MutualServer, serialOf, startMutualServer } from "../../../../test/tls/mutual-server.js";
import { createEgress, type Egress } from "./guarded-fetch.js";
import { createSecretMask } from "./secret-mask.js";

const TOKEN = "a-token-of-the-test";
const authority = makeAuthority("Test");
const one = issueCertificate(authority, { name: "one" });
const two = issueCertificate(authority, { name: "two" });
const stranger = issueCertificate(makeAuthority("Elsewhere"), { name: "stranger" });

let server: MutualServer;
let egress: Egress;
beforeAll(async () => {
  server = await startMutualServer(authority, { token: TOKEN, cert: one.cert });
  egress = createEgress();
});
afterAll(async () => {
  await egress.close();
  await server.close();
});

const ask = (tls: object | undefined, origins = [server.url], url = `${server.url}/items`) =>
  egress.fetchFor({ origins, signal: new AbortController().signal, mask: createSecretMask() })(url, {
    headers: { authorization: `Bearer ${TOKEN}` },
    ...(tls === undefined ? {} : { tls }),
  });
const statusOf = async (answer: Promise<Response>): Promise<number> => {
  const response = await answer;
  await response.text();
  return response.status;
};
const ca = authority.cert;

describe("a client certificate", () => {
  it("is shown to the system, which lets in who has a good one", async () => {
    expect(await statusOf(ask({ ...one, ca }))).toBe(200);
    expect(await statusOf(ask({ ...two, ca }))).toBe(401);
    await expect(ask({ ...stranger, ca })).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("opens connections that serve nobody else", async () => {
    expect(await statusOf(ask({ ...one, ca }))).toBe(200);
    // A connection of `one` is open and idle.
    await expect(ask({ ca })).rejects.toMatchObject({ kind: "unavailable" });
    expect(await statusOf(ask({ ...two, ca }))).toBe(401);
    server.certificates.add(serialOf(two.cert));
    expect(await statusOf(ask({ ...two, ca }))).toBe(200);
    server.certificates.delete(serialOf(two.cert));
    expect(await statusOf(ask({ ...two, ca }))).toBe(401);
  });

  it("does not open the way past the guard: origins, addresses and trust stay as they are", async () => {
    await expect(ask({ ...one, ca }, ["https://elsewhere.example"])).rejects.toMatchObject({ kind: "permission" });
    const metadata = "https://169.254.169.254";
    await expect(ask({ ...one, ca }, [metadata], `${metadata}/x`)).rejects.toMatchObject({ kind: "permission" });
    // Without the authority the server's certificate is nobody's.
    await expect(ask({ cert: one.cert, key: one.key })).rejects.toMatchObject({ kind: "config" });
    await expect(ask({ ...one, ca: stranger.cert })).rejects.toMatchObject({ kind: "config" });
  });

  it("is not shown to another origin that an answer redirects to", async () => {
    const redirecting = createServer((_request, response) => void response.writeHead(307, { location: `${server.url}/items` }).end());
    redirecting.listen(0, "127.0.0.1");
    await once(redirecting, "listening");
    const from = `http://localhost:${(redirecting.address() as AddressInfo).port}`;
    const allowed = server.counts.allowed;
    // Nor is the endpoint's own authority trusted there.
    await expect(ask({ ...one, ca }, [from, server.url], from)).rejects.toMatchObject({ kind: "config" });
    expect(server.counts.allowed).toBe(allowed);
    redirecting.closeAllConnections();
    redirecting.close();
    await once(redirecting, "close");
  });

  it("that is no PEM is a refusal, not a crash, and is not repeated", async () => {
    const bad = { cert: "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----", key: "secret-key-canary", ca };
    const error: unknown = await ask(bad).catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty("kind", "config");
    const mismatched = await ask({ cert: one.cert, key: two.key, ca }).catch((thrown: unknown) => thrown);
    expect(mismatched).toHaveProperty("kind", "config");
    expect(String(error)).not.toContain("secret-key-canary");
  });
});
