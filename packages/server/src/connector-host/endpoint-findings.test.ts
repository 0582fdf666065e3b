import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConnector, z } from "@quiesce/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { issueCertificate, makeAuthority } from "../../../../test/tls/certificates.js";
import { startMutualServer } from "../../../../test/tls/mutual-server.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { findingsHealth, findingsOf, warnOfCertificates } from "../catalog/endpoint-finding-store.js";

const day = 86_400_000;
const never = new AbortController().signal;

let folder: string;
let server: Server;
let bench: PipelineBench;

/** A certificate of its own authority, for a name and a time. */
function certificate(name: string, days: number): { readonly key: Buffer; readonly cert: Buffer } {
  const file = (kind: string): string => join(folder, `${name}-${days}.${kind}`);
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /O=Test/CN=${name} -addext subjectAltName=DNS:${name} -days ${days}`;
  execFileSync("openssl", [...words.split(" "), "-keyout", file("key"), "-out", file("crt")], { stdio: "ignore" });
  return { key: readFileSync(file("key")), cert: readFileSync(file("crt")) };
}

const probed = defineConnector({
  apiVersion: 1,
  id: "probed",
  version: "1.0.0",
  displayName: "Probed",
  stability: "beta",
  config: z.object({ url: z.string() }),
  secrets: z.object({
    password: z.string().optional(),
    certificate: z.string().optional(),
    privateKey: z.string().optional(),
    ca: z.string().optional(),
  }),
  egress: (config) => [new URL(config.url).origin],
  check: async (x) => {
    const password = x.secrets.password;
    const headers = password === undefined ? {} : { authorization: `Basic ${Buffer.from(`me:${password}`).toString("base64")}` };
    const { certificate: cert, privateKey: key, ca } = x.secrets;
    const tls = ca === undefined ? undefined : { cert, key, ca };
    return { status: (await x.fetch(x.config.url, { headers, tls })).ok ? "up" : "down" };
  },
});

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "quiesce-tls-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  server = createServer(certificate("localhost", 90), (_incoming, response) => response.end("up"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  await bench.close();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const port = (): number => (server.address() as AddressInfo).port;

async function checked(): Promise<readonly string[]> {
  await bench.host.checkEndpoint("source", never).catch(() => undefined);
  const [endpoint] = await bench.database.sql<{ id: number }[]>`select id from endpoint where key = 'source'`;
  const found = await findingsOf(bench.database, [endpoint?.id ?? 0]);
  return found.map(({ kind, severity }) => `${kind} ${severity}`);
}

const open = async (url: string, secrets: { readonly [name: string]: string } = {}): Promise<void> => {
  bench = await pipelineBench({ source: { connector: probed, config: { url }, secrets }, target: memoryTarget() });
};

describe("a check of an endpoint", () => {
  it("finds a certificate that nobody vouches for, another host's name, and the end that is near", async () => {
    await open(`https://localhost:${port()}/`);
    expect(await checked()).toEqual(["certificate-expiry info", "certificate-untrusted high", "authentication medium"].toSorted());
    server.setSecureContext(certificate("other.example", 5));
    expect(await checked()).toEqual([
      "authentication medium",
      "certificate-expiry high",
      "certificate-name high",
      "certificate-untrusted high",
    ]);
    expect(await findingsHealth(bench.database.db)).toMatchObject({ status: "warn", detail: expect.stringContaining("other.example") });
    const events = await bench.database.sql<{ finding: string }[]>`
      select payload ->> 'finding' as finding from event_inbox where kind = 'endpoint.finding' order by id`;
    expect(events.map(({ finding }) => finding)).toEqual(expect.arrayContaining(["certificate-untrusted", "certificate-name"]));
    // The second check has told of nothing twice.
    expect(events.filter(({ finding }) => finding === "certificate-untrusted")).toHaveLength(1);
  });

  it("finds nothing wrong where the endpoint has an authority of its own and shows a certificate", async () => {
    const authority = makeAuthority("Own");
    const client = issueCertificate(authority, { name: "client" });
    const mutual = await startMutualServer(authority, { token: "t", cert: client.cert });
    try {
      await open(`${mutual.url}/me`, { certificate: client.cert, privateKey: client.key, ca: authority.cert });
      expect(await checked()).toEqual(["certificate-expiry info"]);
    } finally {
      await mutual.close();
    }
  });

  it("finds a protocol before TLS 1.2", async () => {
    server.setSecureContext({
      ...certificate("localhost", 90),
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT:@SECLEVEL=0",
    });
    await open(`https://localhost:${port()}/`);
    const known = await checked();
    expect(known).toContain("protocol-old high");
    // A system that is down has not mended its certificate.
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    expect(await checked()).toEqual(known);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  it("finds Basic, and credentials without encryption", async () => {
    await open(`http://localhost:${port()}/`, { password: "s3cret-password" });
    expect(await checked()).toEqual(["authentication low"]);
    await bench.database.sql`update endpoint set config = jsonb_build_object('url', 'http://erp.example.lan/')`;
    expect(await checked()).toContain("plain-text critical");
    expect(JSON.stringify(await bench.database.sql`select * from endpoint_finding`)).not.toContain("s3cret-password");
  });

  it("tells of a certificate's end at 30, 14, 7 and 1 days, each once", async () => {
    await open(`https://localhost:${port()}/`);
    await checked();
    const time = await controlTime(bench.database.sql);
    const [row] = await bench.database.sql<
      { ends: number }[]
    >`select expires_at as ends from endpoint_finding where kind = 'certificate-expiry'`;
    const told: number[] = [];
    for (const days of [40, 29, 28, 13, 6, 6, 0.5, -2]) {
      await time.set((row?.ends ?? 0) - days * day);
      told.push(await warnOfCertificates(bench));
    }
    expect(told).toEqual([0, 1, 0, 1, 1, 0, 1, 0]);
    const events = await bench.database.sql<{ days: string }[]>`
      select payload ->> 'days' as days from event_inbox where kind = 'endpoint.certificate-expiring' order by id`;
    expect(events.map(({ days }) => days)).toEqual(["30", "14", "7", "1"]);
  });
});
