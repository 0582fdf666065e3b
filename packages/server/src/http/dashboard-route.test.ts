import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { readDashboard } from "./dashboard-route.js";

const script = `export const text = ${JSON.stringify("quiesce ".repeat(400))};`;
const index = `<!doctype html><html><head><meta property="csp-nonce" nonce="QUIESCE_NONCE"></head>
<body><script type="module" nonce="QUIESCE_NONCE" src="/assets/index-abc.js"></script></body></html>`;

let folder: string;
let api: StartedApi;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-page-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), index);
  await writeFile(join(folder, "assets/index-abc.js"), script);
  await writeFile(join(folder, "icon.svg"), "<svg/>");
  await writeFile(join(folder, "notes.txt"), "not a file of the page");
  api = await startApi({ dashboard: await readDashboard(folder) });
});
afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true, force: true });
});

const open = (path: string, headers: Record<string, string> = { accept: "text/html" }) =>
  fetch(`${api.url}${path}`, { headers, redirect: "manual" });

/** As it is on the wire: fetch would decode it. */
function raw(path: string, encoding: string): Promise<{ readonly encoding: string | undefined; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(`${api.url}${path}`, { headers: { "accept-encoding": encoding } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ encoding: response.headers["content-encoding"], body: Buffer.concat(chunks) }));
    }).on("error", reject);
  });
}

describe("the web page", () => {
  it.each(["/", "/windows/erp-patch", "/integrations/orders?tab=runs"])("answers %s with the same page", async (path) => {
    const response = await open(path);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await response.text()).toContain("/assets/index-abc.js");
    expect(response.headers.get("cache-control")).toBe("no-cache");
  });

  it("has another nonce in each answer, in its policy and in its tags alike, and allows nothing inline without it", async () => {
    const answers = await Promise.all([open("/"), open("/")]);
    const nonces = await Promise.all(
      answers.map(async (response) => {
        const policy = response.headers.get("content-security-policy") ?? "";
        const [, nonce = ""] = /script-src 'self' 'nonce-([^']+)'/.exec(policy) ?? [];
        expect(nonce).toMatch(/^[A-Za-z0-9+/]{24}$/);
        expect(policy).not.toContain("unsafe");
        expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`);
        expect([...(await response.text()).matchAll(/nonce="([^"]*)"/g)].map(([, found]) => found)).toEqual([nonce, nonce]);
        return nonce;
      }),
    );
    expect(new Set(nonces).size).toBe(2);
  });

  it("sends assets that a browser may keep for good, as small as it takes them", async () => {
    const plain = await open("/assets/index-abc.js", { accept: "*/*" });
    expect(plain.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(plain.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(plain.headers.get("vary")).toContain("Accept-Encoding");
    const [br, gzip, none, refused] = await Promise.all(
      ["gzip, br", "gzip;q=0.8", "identity", "br;q=0, gzip;q=0"].map((one) => raw("/assets/index-abc.js", one)),
    );
    expect([br?.encoding, gzip?.encoding, none?.encoding, refused?.encoding]).toEqual(["br", "gzip", undefined, undefined]);
    expect(brotliDecompressSync(br?.body ?? Buffer.alloc(0)).toString()).toBe(script);
    expect(gunzipSync(gzip?.body ?? Buffer.alloc(0)).toString()).toBe(script);
    expect(none?.body.toString()).toBe(script);
  });

  it("sends nothing from beside the page, and no page where a file or an API is asked for", async () => {
    for (const path of ["/assets/gone-123.js", "/notes.txt", "/../package.json", "/assets/%2e%2e/%2e%2e/package.json"]) {
      const response = await open(path);
      expect([path, response.status]).toEqual([path, path.includes("package") ? response.status : 404]);
      expect(await response.text()).not.toContain("dependencies");
    }
    const program = await open("/windows/erp-patch", { accept: "application/json" });
    expect([program.status, ((await program.json()) as { error: { code: string } }).error.code]).toEqual([404, "QSC_HTTP_NOT_FOUND"]);
    expect((await fetch(`${api.url}/windows`, { method: "POST", headers: { accept: "text/html" } })).status).toBe(404);
    expect((await fetch(`${api.url}/assets/index-abc.js`, { method: "POST" })).status).toBe(405);
  });

  it("leaves the other doors alone", async () => {
    expect((await open("/graphql")).headers.get("content-type")).toContain("text/html");
    expect(await (await open("/graphql")).text()).not.toContain("/assets/index-abc.js");
    expect((await open("/livez")).headers.get("content-type")).toContain("json");
    expect(await (await open("/auth/options")).json()).toEqual({ provider: null });
  });

  it("is absent where it was not built: / leads to GraphiQL", async () => {
    expect(await readDashboard(join(folder, "nowhere"))).toBeNull();
  });
});
