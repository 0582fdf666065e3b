import type { IncomingMessage, ServerResponse } from "node:http";
import { type Action, can, describeGrants, DomainError } from "@quiesce/core";
import type { Change } from "../access/targets.js";
import type { Authenticated } from "../access/authenticate.js";
import type { ApiServices } from "../graphql/request-context.js";
import { requestContext, runCommand } from "../graphql/request-context.js";
import type { HoldReason } from "../runs/active-holds.js";
import { askGate, enterGate, type GateVerdict, leaveGate, renewGate } from "../runs/gate.js";
import { readJsonObject } from "./read-body.js";
import { sendJson } from "./respond.js";

const DEFAULT_LEASE_SECONDS = 60;

/**
 * The gate for schedulers that speak no GraphQL. `GET /gate/<integration>` answers 200 with the verdict, with `?strict=1` 423 while held;
 * `POST /gate/<integration>/enter`, `POST /gate/runs/<id>/renew` and `/leave` take and give back a lease.
 */
export async function serveGate(input: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly caller: Authenticated;
  readonly services: ApiServices;
}): Promise<void> {
  const { request, response, url, caller, services } = input;
  const segments = url.pathname.split("/").slice(2).map(decodeSegment);
  const [first = "", second = "", third] = segments;
  const context = requestContext(services, caller);
  if (segments.length === 1 && first !== "") {
    requireMethod(request, "GET");
    requireRight(services, caller, "gate.read");
    const verdict = await askGate(context.database.db, first);
    const held = verdict.kind === "held";
    const strict = ["1", "true", ""].includes(url.searchParams.get("strict") ?? "no");
    return sendJson(response, held && strict ? 423 : 200, { integration: first, ...verdictBody(verdict) });
  }
  requireMethod(request, "POST");
  requireRight(services, caller, "gate.enter");
  requireJson(request);
  if (segments.length === 2 && second === "enter") {
    const body = await readJsonObject(request);
    const leaseSeconds = numberField(body, "leaseSeconds") ?? DEFAULT_LEASE_SECONDS;
    const reason = textField(body, "reason");
    const entry = await runCommand(context, { action: "gate.enter", on: [{ kind: "integration", key: first }] }, (command) =>
      enterGate(command, { integration: first, leaseSeconds, reason }),
    );
    if (!entry.entered) return sendJson(response, 423, { entered: false, integration: first, ...verdictBody(entry.verdict) });
    return sendJson(response, 201, {
      entered: true,
      integration: first,
      runId: entry.runId,
      leaseToken: entry.leaseToken,
      leaseUntil: instant(entry.leaseUntil),
    });
  }
  if (segments.length === 3 && first === "runs" && (third === "renew" || third === "leave")) {
    const body = await readJsonObject(request);
    const lease = { runId: second, leaseToken: textField(body, "leaseToken") ?? "" };
    const onRun: Change = { action: "gate.enter", on: [{ kind: "run", key: lease.runId }] };
    if (third === "renew") {
      const leaseSeconds = numberField(body, "leaseSeconds") ?? DEFAULT_LEASE_SECONDS;
      const { leaseUntil } = await runCommand(context, onRun, (command) => renewGate(command, { ...lease, leaseSeconds }));
      return sendJson(response, 200, { runId: second, leaseUntil: instant(leaseUntil) });
    }
    const exitCode = numberField(body, "exitCode");
    const outcome = outcomeOf(body, exitCode);
    await runCommand(context, onRun, (command) => leaveGate(command, { ...lease, outcome, exitCode }));
    return sendJson(response, 200, { runId: second, outcome });
  }
  throw new DomainError(
    "QSC_HTTP_NOT_FOUND",
    "There is no such address. The gate has GET /gate/<integration>, POST /gate/<integration>/enter, POST /gate/runs/<id>/renew and POST /gate/runs/<id>/leave.",
  );
}

function verdictBody(verdict: GateVerdict) {
  const reason = ({ since, until, ...hold }: HoldReason) => ({
    ...hold,
    since: instant(since),
    until: until === null ? null : instant(until),
  });
  return verdict.kind === "open"
    ? { state: "open", held: false, by: [], until: null }
    : { state: "held", held: true, by: verdict.by.map(reason), until: verdict.until === null ? null : instant(verdict.until) };
}

const instant = (ms: number): string => new Date(ms).toISOString();

export function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DomainError("QSC_HTTP_NOT_FOUND", "The address is not well-formed: a % sign stands alone.");
  }
}

/** Throws QSC_ACCESS_DENIED. */
export function requireRight({ use }: Pick<ApiServices, "use">, caller: Authenticated, action: Action): void {
  const { principal } = caller;
  if (!can(principal, action))
    throw new DomainError(
      "QSC_ACCESS_DENIED",
      `${describeGrants(principal.grants)} may not do this (${action}). Ask an admin for a wider grant.`,
    );
  use?.used(caller, action);
}

export function requireMethod(request: IncomingMessage, method: "GET" | "POST"): void {
  if (request.method !== method)
    throw new DomainError("QSC_HTTP_METHOD", `This address takes ${method}, found ${request.method ?? "nothing"}.`);
}

/** A form on another site can send text and form fields, but not JSON without asking first. */
export function requireJson(request: IncomingMessage): void {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\b/i.test(type))
    throw new DomainError("QSC_HTTP_CONTENT_TYPE", `The body must be application/json, found "${type.slice(0, 60)}".`);
}

function numberField(body: { readonly [name: string]: unknown }, field: string): number | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value))
    throw new DomainError("QSC_HTTP_BODY_INVALID", `${field} must be a whole number.`, { field });
  return value;
}

function textField(body: { readonly [name: string]: unknown }, field: string): string | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new DomainError("QSC_HTTP_BODY_INVALID", `${field} must be text.`, { field });
  return value;
}

/** The outcome may be left out where the exit code says it. */
function outcomeOf(body: { readonly [name: string]: unknown }, exitCode: number | undefined): "succeeded" | "failed" {
  const value = body["outcome"] ?? (exitCode === undefined ? undefined : exitCode === 0 ? "succeeded" : "failed");
  if (value !== "succeeded" && value !== "failed")
    throw new DomainError("QSC_HTTP_BODY_INVALID", 'outcome must be "succeeded" or "failed".', { field: "outcome" });
  return value;
}
