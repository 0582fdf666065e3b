import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError, inboxLimits, pushedRecords } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import { type ApiServices, requestContext, runCommand } from "../graphql/request-context.js";
import { acceptRecords } from "../inbox/commands.js";
import { decodeSegment, requireMethod, requireRight } from "./gate-routes.js";
import { readBody } from "./read-body.js";
import { sendJson } from "./respond.js";

/** application/json: one record or a list; the others: one record a line. */
const LINES = /^application\/(?:x-ndjson|ndjson|jsonl|json-lines)\b/i;
const JSON_TYPE = /^application\/json\b/i;

/**
 * `POST /push/<integration>`: takes records in for an integration, durably before the answer, also while it is held. 202 says what became of them,
 * 429 that there is no room, with Retry-After.
 */
export async function servePush(input: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly caller: Authenticated;
  readonly services: ApiServices;
}): Promise<void> {
  const { request, response, url, caller, services } = input;
  const [integration = "", ...more] = url.pathname.split("/").slice(2).map(decodeSegment);
  if (integration === "" || more.length > 0)
    throw new DomainError("QSC_HTTP_NOT_FOUND", "There is no such address. Records are pushed to POST /push/<integration>.");
  requireMethod(request, "POST");
  requireRight(services, caller, "records.push");
  const records = pushedRecords(await readRecords(request));
  const stream = url.searchParams.get("stream") ?? undefined;
  const idempotencyKey = idempotencyKeyOf(request);
  const context = requestContext(services, caller);
  const answer = await runCommand(context, { action: "records.push", on: [{ kind: "integration", key: integration }] }, (command) =>
    acceptRecords(command, { integration, stream, idempotencyKey, records }),
  );
  const heldUntil = answer.heldUntil === null ? null : new Date(answer.heldUntil).toISOString();
  sendJson(response, 202, { ...answer, heldUntil });
}

async function readRecords(request: IncomingMessage): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  const isLines = LINES.test(type);
  if (!isLines && !JSON_TYPE.test(type))
    throw new DomainError(
      "QSC_HTTP_CONTENT_TYPE",
      `The body must be application/json (a record or a list of them) or application/x-ndjson (one a line), found "${type.slice(0, 60)}".`,
    );
  const text = (await readBody(request, inboxLimits.bytesOfRequest)).toString("utf8");
  if (!isLines) return parsed(text, "The body");
  return text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [parsed(line, `Line ${index + 1}`)]));
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DomainError("QSC_HTTP_BODY_INVALID", `${where} is not JSON. Nothing of the request was accepted.`);
  }
}

/** The header as people send it: bare, or in quotes as the draft of the standard has it. */
function idempotencyKeyOf(request: IncomingMessage): string | undefined {
  const header = request.headers["idempotency-key"];
  if (header === undefined) return undefined;
  const key = String(header)
    .trim()
    .replace(/^"(.*)"$/, "$1");
  if (key !== "" && key.length <= inboxLimits.charactersOfId) return key;
  throw new DomainError(
    "QSC_INBOX_IDEMPOTENCY_KEY",
    `The Idempotency-Key has ${key.length} characters, expected 1 to ${inboxLimits.charactersOfId}.`,
    { field: "Idempotency-Key" },
  );
}
