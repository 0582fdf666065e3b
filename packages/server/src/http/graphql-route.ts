import type { IncomingMessage, ServerResponse } from "node:http";
import { can, DomainError } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import { requireJson } from "./gate-routes.js";
import type { OperationParams } from "../graphql/prepare-operation.js";
import { serveStream, type StreamServices } from "./stream-route.js";
import { readBody, WORKSPACE_BODY_LIMIT_BYTES } from "./read-body.js";

interface GraphqlRequest {
  readonly stream: StreamServices;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** Serves one operation of a known caller, or one stream of events. */
export async function serveGraphql(input: GraphqlRequest & { readonly caller: Authenticated }): Promise<void> {
  const { stream, request, response, url, caller } = input;
  const { method } = request;
  if (method !== "GET" && method !== "POST")
    throw new DomainError("QSC_HTTP_METHOD", `This address takes POST and GET, found ${method ?? "nothing"}.`);
  if (method === "POST") requireJson(request);
  const mayBeLarge = can(caller.principal, "catalogue.write");
  const ordinaryBytes = stream.limits.bodyKib * 1024;
  const body = method === "GET" ? undefined : await readBody(request, mayBeLarge ? WORKSPACE_BODY_LIMIT_BYTES : ordinaryBytes);
  const isLarge = body !== undefined && body.length > ordinaryBytes;
  if (!isLarge && (request.headers.accept ?? "").includes("text/event-stream")) {
    const params = body === undefined ? paramsOfUrl(url) : paramsOfBody(body.toString("utf8"));
    if (params !== null && (await serveStream(stream, { request, response, caller, params }))) return;
  }
  const abort = new AbortController();
  // It closes in the end as well: then there is nothing left to give up.
  response.once("close", () => {
    if (!response.writableFinished) abort.abort();
  });
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
  await send(response, answer);
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

/** An answer of this API is always whole: streams have their own way. */
async function send(response: ServerResponse, answer: Response): Promise<void> {
  const text = await answer.text();
  // Said of an answer in parts, which this one no longer is.
  answer.headers.delete("transfer-encoding");
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
