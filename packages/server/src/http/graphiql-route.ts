import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { exampleOperations } from "../graphql/example-operations.js";
import { graphiqlPage } from "../graphql/graphiql-page.js";
import { pagePolicy } from "./security-headers.js";

/** Made once: it has nine megabytes, and anybody may ask for it. */
interface Page {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly policy: string;
}

let page: Promise<Page> | null = null;

/** True for a browser that opens the address: it gets the GraphiQL page, which is no operation and needs no token. */
export function wantsPage(request: IncomingMessage, url: URL): boolean {
  return (
    request.method === "GET" &&
    !url.searchParams.has("query") &&
    !url.searchParams.has("documentId") &&
    (request.headers.accept ?? "").includes("text/html")
  );
}

/** Serves the GraphiQL page. A browser keeps it and asks whether it is still the same. */
export async function serveGraphiql(request: IncomingMessage, response: ServerResponse): Promise<void> {
  page ??= makePage();
  const { bytes, etag, policy } = await page;
  const headers = { "cache-control": "private, no-cache", "content-security-policy": policy, etag, vary: "Accept, Origin" };
  if (request.headers["if-none-match"] === etag) return void response.writeHead(304, headers).end();
  response.writeHead(200, { ...headers, "content-type": "text/html; charset=utf-8", "content-length": bytes.length });
  response.end(bytes);
}

async function makePage(): Promise<Page> {
  const html = await graphiqlPage({ title: "Quiesce", defaultTabs: exampleOperations, shouldPersistHeaders: false });
  const etag = `"${createHash("sha256").update(html).digest("base64url").slice(0, 32)}"`;
  return { bytes: Buffer.from(html, "utf8"), etag, policy: pagePolicy(html) };
}
