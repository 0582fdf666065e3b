import type { CombinedError } from "@urql/core";

/** What the server refuses, or that it cannot be reached. Decide by the code; show the message, it is written for people. */
export interface Refusal {
  /** QSC_…, as docs/reference/errors.md lists them; CONNECTION_LOST when there was no answer, UNKNOWN when there was one without a code. */
  readonly code: string;
  readonly message: string;
  /** The input at fault, as scope.systems. */
  readonly field: string | null;
  readonly details: { readonly [name: string]: unknown };
}

interface AnsweredError {
  readonly message: string;
  readonly extensions?: { readonly [name: string]: unknown } | undefined;
}

/** Codes after which only signing in again helps. */
const signedOutCodes: ReadonlySet<string> = new Set([
  "QSC_ACCESS_TOKEN_MISSING",
  "QSC_ACCESS_TOKEN_INVALID",
  "QSC_ACCESS_TOKEN_REVOKED",
  "QSC_ACCESS_TOKEN_EXPIRED",
  "QSC_ACCESS_SESSION_OVER",
  "QSC_ACCESS_DISABLED",
]);

export function isSignedOut({ code }: Refusal): boolean {
  return signedOutCodes.has(code);
}

/** The first refusal of an answer; null for none. */
export function refusalOf(error: CombinedError | undefined | null): Refusal | null {
  if (error === undefined || error === null) return null;
  const [first] = error.graphQLErrors;
  if (first !== undefined) return refusalOfError(first);
  return { code: "CONNECTION_LOST", message: error.networkError?.message ?? error.message, field: null, details: {} };
}

export function refusalOfError({ message, extensions = {} }: AnsweredError): Refusal {
  const { code, field, details } = extensions;
  return {
    code: typeof code === "string" ? code : "UNKNOWN",
    message,
    field: typeof field === "string" ? field : null,
    details: typeof details === "object" && details !== null ? { ...details } : {},
  };
}
