import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { DomainError } from "@quiesce/core";

/** The web page as it was built into this package; the same place from the sources and from dist. */
const FOLDER = fileURLToPath(new URL("../../dist/dashboard/", import.meta.url));
/** What index.html has where the nonce of an answer goes. */
const NONCE_MARK = /QUIESCE_NONCE/g;
/** Names of assets carry the hash of their contents. */
const FOREVER = "public, max-age=31536000, immutable";
/** Below this compression costs more than it saves. */
const COMPRESS_FROM_BYTES = 1_024;

const types: { readonly [ending: string]: string } = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly encoded: { readonly br: Buffer; readonly gzip: Buffer } | null;
}

/** The web page's files, read once. */
export interface Dashboard {
  /** index.html with the mark for the nonce. */
  readonly page: string;
  /** By path, as /assets/index-x.js. */
  readonly assets: ReadonlyMap<string, Asset>;
}

let loading: Promise<Dashboard | null> | null = null;

/** Reads the page once a process; null where it was not built, as in a checkout whose server alone was compiled. */
export function loadDashboard(): Promise<Dashboard | null> {
  return (loading ??= readDashboard(FOLDER));
}

export async function readDashboard(folder: string): Promise<Dashboard | null> {
  const page = await readFile(join(folder, "index.html"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (page === null) return null;
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile() && types[extname(entry.name)] !== undefined && entry.name !== "index.html")
    .map((entry) => join(entry.parentPath, entry.name));
  const assets = new Map<string, Asset>();
  for (const file of files) {
    const plain = await readFile(file);
    const path = `/${file.slice(folder.replace(/[\\/]$/, "").length + 1).replaceAll(sep, "/")}`;
    assets.set(path, { type: types[extname(file)] ?? "application/octet-stream", plain, encoded: encode(plain) });
  }
  return { page, assets };
}

function encode(plain: Buffer): Asset["encoded"] {
  if (plain.length < COMPRESS_FROM_BYTES) return null;
  // Level 9 of 11: the last two take seconds at the start for a few KiB.
  const br = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  return { br, gzip: gzipSync(plain, { level: 9 }) };
}

/** Whether a browser opens an address of the page itself: it decides by its path what to show. */
export function wantsDashboard(request: IncomingMessage, url: URL): boolean {
  const isRead = request.method === "GET" || request.method === "HEAD";
  return isRead && (url.pathname === "/" || (request.headers.accept ?? "").includes("text/html")) && extname(url.pathname) === "";
}

/** Answers a file of the page by its path; false when there is none. */
export function serveAsset(
  request: IncomingMessage,
  response: ServerResponse,
  input: { readonly dashboard: Dashboard; readonly path: string },
): boolean {
  const asset = input.dashboard.assets.get(input.path);
  if (asset === undefined) return false;
  if (request.method !== "GET" && request.method !== "HEAD")
    throw new DomainError("QSC_HTTP_METHOD", `This address takes GET, found ${request.method ?? "nothing"}.`);
  const { body, encoding } = chosen(asset, request.headers["accept-encoding"] ?? "");
  response.writeHead(200, {
    "content-type": asset.type,
    "content-length": body.length,
    "cache-control": input.path.startsWith("/assets/") ? FOREVER : "public, max-age=3600",
    vary: "Accept-Encoding, Origin",
    ...(encoding === null ? {} : { "content-encoding": encoding }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
  return true;
}

function chosen({ plain, encoded }: Asset, accepted: string): { readonly body: Buffer; readonly encoding: "br" | "gzip" | null } {
  const takes = (name: string) =>
    new RegExp(`(?:^|,)\\s*${name}\\s*(?:;(?!\\s*q=0(?:\\.0*)?\\s*(?:,|$))[^,]*)?(?:,|$)`, "i").test(accepted);
  if (encoded === null) return { body: plain, encoding: null };
  if (takes("br")) return { body: encoded.br, encoding: "br" };
  return takes("gzip") ? { body: encoded.gzip, encoding: "gzip" } : { body: plain, encoding: null };
}

/** Answers index.html with a nonce of its own: nothing that finds its way into the page runs without it. */
export function servePage(request: IncomingMessage, response: ServerResponse, { page }: Dashboard): void {
  const nonce = randomBytes(18).toString("base64");
  const html = Buffer.from(page.replaceAll(NONCE_MARK, nonce), "utf8");
  response.writeHead(200, {
    "content-type": types[".html"],
    "content-length": html.length,
    // no-store would keep the browser from coming back to the page at once.
    "cache-control": "no-cache",
    "content-security-policy": dashboardPolicy(nonce),
    vary: "Accept, Origin",
  });
  response.end(request.method === "HEAD" ? undefined : html);
}

function dashboardPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "script-src-attr 'none'",
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'none'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
}
