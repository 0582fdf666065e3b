import type { IncomingMessage } from "node:http";
import { DomainError } from "@quiesce/core";
import type { ApiLimits } from "./api-limits.js";

/** What decides over a handshake. */
export interface AdmissionRules {
  readonly limits: Pick<ApiLimits, "sockets" | "socketsPerAddress">;
  /** What counts as one address. */
  readonly groupOf: (request: IncomingMessage) => string;
  /** Whether pages of the request's origin may open sockets. */
  readonly allowsOrigin: (request: IncomingMessage) => boolean;
  /** Throws when the address asks too often. */
  readonly takeAddress: (group: string) => void;
}

/** Refused, with the status line of the answer; or admitted, with what gives the place back. */
export type Admission = { readonly refused: string } | { readonly leave: () => void };

/**
 * Decides over handshakes before anything is read from them. Of each address only so many sockets are open: one that opens all there are would keep
 * everybody else out.
 */
export function createSocketAdmission(rules: AdmissionRules): (request: IncomingMessage, openSockets: number) => Admission {
  const open = new Map<string, number>();
  const take = (group: string): (() => void) => {
    open.set(group, (open.get(group) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (open.get(group) ?? 1) - 1;
      if (left > 0) open.set(group, left);
      else open.delete(group);
    };
  };
  return (request, openSockets) => {
    const group = rules.groupOf(request);
    // A page that is not allowed here is refused before it can say anything: no browser asks beforehand, as it does for HTTP.
    if (!rules.allowsOrigin(request)) return { refused: "403 Forbidden" };
    if (!takesQuietly(() => rules.takeAddress(group))) return { refused: "429 Too Many Requests\r\nRetry-After: 1" };
    const isFull = openSockets >= rules.limits.sockets || (open.get(group) ?? 0) >= rules.limits.socketsPerAddress;
    return isFull ? { refused: "503 Service Unavailable\r\nRetry-After: 10" } : { leave: take(group) };
  };
}

/** False when the bucket is empty. */
export function takesQuietly(take: () => void): boolean {
  try {
    take();
    return true;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return false;
  }
}
