import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { DomainError } from "@quiesce/core";
import { authenticate, authenticateSession, type Authenticated } from "../access/authenticate.js";
import type { FailureLocks, Suspect } from "../access/failure-locks.js";
import type { Database } from "../db/client.js";
import type { OwnAddress } from "./session-cookie.js";

/** Recognises callers at every door of the API: by a token, or by the session of a browser. */
export interface CallerDoor {
  /** Whether the request shows anything at all. */
  showsCredential(request: IncomingMessage): boolean;
  /**
   * Who asks. A header goes before the cookie; `token` is what a WebSocket's first message shows and goes before both. Throws what `authenticate` and
   * `authenticateSession` do, QSC_ACCESS_CROSS_SITE, and QSC_ACCESS_LOCKED.
   */
  recognise(request: IncomingMessage, how?: { readonly token?: string | undefined; readonly isSocket?: boolean }): Promise<Authenticated>;
  /** The same for a credential of another kind, as a ticket. */
  recogniseBy(request: IncomingMessage, shown: string | null, look: () => Promise<Authenticated>): Promise<Authenticated>;
}

/** Refusals that are no attempts: nothing was shown, or the page was not ours. */
const harmless: ReadonlySet<string> = new Set(["QSC_ACCESS_TOKEN_MISSING", "QSC_ACCESS_CROSS_SITE", "QSC_ACCESS_LOCKED"]);

export function createCallerDoor(services: {
  readonly database: Database;
  readonly own: OwnAddress;
  readonly locks: FailureLocks;
  readonly groupOf: (request: IncomingMessage) => string;
}): CallerDoor {
  const { database, own, locks, groupOf } = services;

  const recogniseBy: CallerDoor["recogniseBy"] = async (request, shown, look) => {
    const suspect = (): Suspect => ({ address: groupOf(request), shown: shown === null ? null : digest(shown) });
    // What was refused again and again is not looked up again; another credential of the same address is. While nobody fails no digest is made.
    if (!locks.isEmpty) locks.check("api", { ...suspect(), address: null });
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof DomainError) || harmless.has(error.code)) throw error;
      const who = suspect();
      locks.failed("api", who, error.code);
      locks.check("api", who);
      throw error;
    }
  };

  return {
    showsCredential: (request) => request.headers.authorization !== undefined || own.read(request, "session") !== null,
    recogniseBy,
    recognise: (request, { token, isSocket = false } = {}) => {
      const header = token ?? request.headers.authorization;
      const cookie = header === undefined ? own.read(request, "session") : null;
      if (cookie === null) return recogniseBy(request, header ?? null, () => authenticate(database, header));
      return recogniseBy(request, cookie, async () => {
        if (!own.isOwnPage(request, isSocket ? "POST" : undefined))
          throw new DomainError(
            "QSC_ACCESS_CROSS_SITE",
            "A session is good for pages of this server alone, and this request comes from elsewhere. Show an API token in the header instead. (Behind a proxy: is QUIESCE_PUBLIC_URL the address in the browser?)",
          );
        return authenticateSession(database, cookie);
      });
    },
  };
}

/** What was shown is not kept, only what it would be recognised by. */
function digest(shown: string): string {
  return createHash("sha256").update(shown, "utf8").digest("base64url");
}
