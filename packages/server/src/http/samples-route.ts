import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import { type ApiServices, requestContext } from "../graphql/request-context.js";
import { admitSamples } from "../ingest/admit-samples.js";
import { takeSamples } from "../ingest/take-samples.js";
import { requireMethod, requireRight } from "./gate-routes.js";
import { sendJson } from "./respond.js";

const LINES = /^application\/(?:x-ndjson|ndjson|jsonl|json-lines)\b/i;
const bytesOfRequest = 64 * 1024 * 1024;
const bytesOfLine = 4_096;
const NEWLINE = 10;

/**
 * `POST /ingest/samples`: measurements, one JSON object a line, read while they arrive and written in batches. 200 says how many were taken and which
 * lines were not, with the reasons; 429 that the server is busy, with Retry-After. A request that breaks off may be sent again as it was. With `?trial=true`
 * nothing is written: the answer says what would be taken.
 */
export async function serveSamples(input: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly caller: Authenticated;
  readonly services: ApiServices;
}): Promise<void> {
  const { request, response, url, caller, services } = input;
  requireMethod(request, "POST");
  requireRight(services, caller, "samples.push");
  const type = request.headers["content-type"] ?? "";
  if (!LINES.test(type))
    throw new DomainError(
      "QSC_HTTP_CONTENT_TYPE",
      `The body must be application/x-ndjson, one sample a line, found "${type.slice(0, 60)}".`,
    );
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity")
    throw new DomainError("QSC_HTTP_CONTENT_ENCODING", `The body is packed (${encoding.slice(0, 60)}). Send it as it is.`);
  const isTrial = trialOf(url);
  const leave = await admitSamples(services.database);
  try {
    const { whole, database: seen, principal } = requestContext(services, caller);
    const intake = await takeSamples({ principal, seen, whole }, { isTrial });
    let number = 0;
    for await (const lines of linesOf(request))
      for (const line of lines) {
        number += 1;
        if (line.trim() === "") continue;
        const waits = intake.take(number, { json: line });
        if (waits !== undefined) await waits;
      }
    sendJson(response, 200, await intake.done());
  } finally {
    leave();
  }
}

function trialOf(url: URL): boolean {
  const text = url.searchParams.get("trial") ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw new DomainError("QSC_SAMPLE_INVALID", `trial is "${text.slice(0, 20)}". Expected true or false.`, { field: "trial" });
}

/** The lines of a body, as many at a time as have arrived. Throws QSC_HTTP_BODY_TOO_LARGE. */
async function* linesOf(request: IncomingMessage): AsyncGenerator<readonly string[], void, void> {
  let rest: Buffer = Buffer.alloc(0);
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new Error("The request was given an encoding.");
    size += chunk.length;
    // Cut at bytes, so that no character is.
    const end = chunk.lastIndexOf(NEWLINE);
    const openBytes = end === -1 ? rest.length + chunk.length : chunk.length - end - 1;
    if (size > bytesOfRequest || openBytes > bytesOfLine) {
      request.resume();
      throw new DomainError(
        "QSC_HTTP_BODY_TOO_LARGE",
        `The body is larger than ${bytesOfRequest} bytes, or a line than ${bytesOfLine}. Send less in one request. Lines before this place may have been taken.`,
      );
    }
    if (end === -1) {
      rest = Buffer.concat([rest, chunk]);
      continue;
    }
    yield Buffer.concat([rest, chunk.subarray(0, end)])
      .toString("utf8")
      .split("\n");
    rest = chunk.subarray(end + 1);
  }
  if (rest.length > 0) yield [rest.toString("utf8")];
}
