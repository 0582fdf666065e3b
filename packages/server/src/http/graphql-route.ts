import type { IncomingMessage, ServerResponse } from "node:http";
import { can, DomainError } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import type { Api } from "../graphql/create-yoga.js";
import { requireJson } from "./gate-routes.js";
import type { OpenStreams } from "./open-streams.js";
import { BODY_LIMIT_BYTES, readBody, WORKSPACE_BODY_LIMIT_BYTES } from "./read-body.js";

interface GraphqlRequest {
  readonly api: Api;
  readonly streams: OpenStreams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** True for a browser that opens the address: it gets the GraphiQL page, which is no operation and needs no token. */
export function wantsPage(request: IncomingMessage, url: URL): boolean {
  return request.method === "GET" && !url.searchParams.has("query") && (request.headers.accept ?? "").includes("text/html");
}

/** Serves the GraphiQL page. */
export async function serveGraphiql(input: GraphqlRequest): Promise<void> {
  const answer = await input.api.fetch(input.url, { headers: { accept: "text/html" } }, {});
  await send(input.response, answer, new AbortController());
}

/** Serves one operation of a known caller, or one stream of events. */
export async function serveGraphql(input: GraphqlRequest & { readonly caller: Authenticated }): Promise<void> {
  const { api, streams, request, response, url, caller } = input;
  const { method } = request;
  if (method !== "GET" && method !== "POST")
    throw new DomainError("QSC_HTTP_METHOD", `This address takes POST and GET, found ${method ?? "nothing"}.`);
  if (method === "POST") requireJson(request);
  const mayBeLarge = can(caller.principal, "catalogue.write");
  const body = method === "GET" ? undefined : await readBody(request, mayBeLarge ? WORKSPACE_BODY_LIMIT_BYTES : BODY_LIMIT_BYTES);
  const abort = new AbortController();
  response.once("close", () => abort.abort());
  const answer = await api.fetch(
    url,
    {
      method,
      headers: { accept: request.headers.accept ?? "application/json", "content-type": "application/json" },
      body: body?.toString("utf8") ?? null,
      signal: abort.signal,
    },
    { caller, large: body !== undefined && body.length > BODY_LIMIT_BYTES },
  );
  if (!(answer.headers.get("content-type") ?? "").startsWith("text/event-stream")) return send(response, answer, abort);
  const stream = streams.add({ tokenId: caller.tokenId, close: () => abort.abort() });
  try {
    await send(response, answer, abort);
  } finally {
    stream.remove();
  }
}

/** What one read brings. */
interface Chunk {
  readonly done: boolean;
  readonly value?: Uint8Array | undefined;
}

/** Copies an answer out as fast as the client reads, and no faster: what is not read stays in the subscriber's bounded queue. */
async function send(response: ServerResponse, answer: Response, abort: AbortController): Promise<void> {
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.flushHeaders();
  const reader = answer.body?.getReader();
  if (reader === undefined) return void response.end();
  let wake: () => void = () => undefined;
  // A cancelled stream of events leaves a read that waits for the next event waiting.
  const stop = () => {
    void reader.cancel().catch(() => undefined);
    wake();
  };
  abort.signal.addEventListener("abort", stop, { once: true });
  try {
    while (!abort.signal.aborted) {
      const { done, value } = await new Promise<Chunk>((resolve, reject) => {
        wake = () => resolve({ done: true });
        reader.read().then(resolve, reject);
      });
      if (done) break;
      if (!response.write(value))
        await new Promise<void>((resolve) => {
          const go = () => {
            response.off("drain", go);
            abort.signal.removeEventListener("abort", go);
            resolve();
          };
          response.once("drain", go);
          abort.signal.addEventListener("abort", go, { once: true });
        });
    }
  } finally {
    abort.signal.removeEventListener("abort", stop);
    response.end();
  }
}
