import type { IncomingMessage, ServerResponse } from "node:http";
import { can, DomainError } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import { requireJson } from "./gate-routes.js";
import type { OperationParams } from "../graphql/prepare-operation.js";
import { serveStream, type StreamServices } from "./stream-route.js";
import { BODY_LIMIT_BYTES, readBody, WORKSPACE_BODY_LIMIT_BYTES } from "./read-body.js";

interface GraphqlRequest {
  readonly stream: StreamServices;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** True for a browser that opens the address: it gets the GraphiQL page, which is no operation and needs no token. */
export function wantsPage(request: IncomingMessage, url: URL): boolean {
  return (
    request.method === "GET" &&
    !url.searchParams.has("query") &&
    !url.searchParams.has("documentId") &&
    (request.headers.accept ?? "").includes("text/html")
  );
}

/** Serves the GraphiQL page. */
export async function serveGraphiql(input: GraphqlRequest): Promise<void> {
  const answer = await input.stream.api.fetch(input.url, { headers: { accept: "text/html" } }, {});
  await send(input.response, answer, new AbortController());
}

/** Serves one operation of a known caller, or one stream of events. */
export async function serveGraphql(input: GraphqlRequest & { readonly caller: Authenticated }): Promise<void> {
  const { stream, request, response, url, caller } = input;
  const { method } = request;
  if (method !== "GET" && method !== "POST")
    throw new DomainError("QSC_HTTP_METHOD", `This address takes POST and GET, found ${method ?? "nothing"}.`);
  if (method === "POST") requireJson(request);
  const mayBeLarge = can(caller.principal, "catalogue.write");
  const body = method === "GET" ? undefined : await readBody(request, mayBeLarge ? WORKSPACE_BODY_LIMIT_BYTES : BODY_LIMIT_BYTES);
  const isLarge = body !== undefined && body.length > BODY_LIMIT_BYTES;
  if (!isLarge && (request.headers.accept ?? "").includes("text/event-stream")) {
    const params = body === undefined ? paramsOfUrl(url) : paramsOfBody(body.toString("utf8"));
    if (params !== null && (await serveStream(stream, { request, response, caller, params }))) return;
  }
  const abort = new AbortController();
  response.once("close", () => abort.abort());
  const answer = await stream.api.fetch(
    url,
    {
      method,
      headers: { accept: request.headers.accept ?? "application/json", "content-type": "application/json" },
      body: body?.toString("utf8") ?? null,
      signal: abort.signal,
    },
    { caller, large: isLarge },
  );
  await send(response, answer, abort);
}

/** The parameters in an address, as GraphQL over HTTP has them; null when they are none, which the API then says in its words. */
export function paramsOfUrl({ searchParams }: URL): OperationParams | null {
  const [query, documentId, operationName] = ["query", "documentId", "operationName"].map((name) => searchParams.get(name));
  const variables = objectOf(searchParams.get("variables") ?? "{}");
  return variables === null ? null : { query, documentId, operationName, variables };
}

function paramsOfBody(text: string): OperationParams | null {
  const body = objectOf(text);
  if (body === null) return null;
  const { query, documentId, operationName, variables } = body;
  const isText = (value: unknown) => value === undefined || value === null || typeof value === "string";
  const isObject = variables === undefined || variables === null || (typeof variables === "object" && !Array.isArray(variables));
  return isText(query) && isText(operationName) && isObject ? ({ query, documentId, operationName, variables } as OperationParams) : null;
}

function objectOf(text: string): { readonly [name: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : null;
  } catch {
    return null;
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
