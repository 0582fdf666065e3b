/** A value that can stand in an error's details: plain JSON, so that it travels through GraphQL, REST and logs alike. */
export type ErrorDetails = { readonly [name: string]: string | number | boolean | null | readonly string[] };

/**
 * An expected refusal: the caller asked for something that the rules do not allow, and can mend it.
 * Everything else that is thrown is a bug. `code` is stable (QSC_<ROOM>_<WHAT>) and listed in docs/reference/errors.md;
 * `field` names the input at fault as a dotted path; `details` holds what a program would want to read.
 */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly code: string;
  readonly field: string | undefined;
  readonly details: ErrorDetails;

  constructor(
    code: string,
    message: string,
    options: { readonly field?: string; readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.details = options.details ?? {};
  }
}
