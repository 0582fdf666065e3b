import { type ExitCodeName, exitCodes } from "./exit-codes.js";

/** An expected end of a command: one clear message, and what the exit code should say. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: ExitCodeName;
  /** The server's QSC_ code, when it gave one. */
  readonly code: string | undefined;
  readonly field: string | undefined;
  readonly details: { readonly [name: string]: unknown };

  constructor(
    exit: ExitCodeName,
    message: string,
    options: {
      readonly code?: string | undefined;
      readonly field?: string | undefined;
      readonly details?: { readonly [name: string]: unknown } | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exit = exit;
    this.code = options.code;
    this.field = options.field;
    this.details = options.details ?? {};
  }
}

/** What the person sees of an error, and how the process ends. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

/** One line for what was expected to go wrong; for a bug too, unless `debug` asks for the stack. */
export function reportOf(error: unknown, options: { readonly debug: boolean }): ErrorReport {
  const stack = options.debug && error instanceof Error ? `\n${error.stack ?? ""}` : "";
  if (error instanceof CliError) {
    const code = error.code === undefined ? "" : `${error.code}: `;
    return { text: `quiesce: ${code}${error.message}${stack}`, exitCode: exitCodes[error.exit] };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // A DomainError thrown on this side, as by `migrate` and `start`, is known by its name: importing core only for that costs 0.15 s a command.
  if (error instanceof Error && error.name === "DomainError")
    return { text: `quiesce: ${code}: ${message}${stack}`, exitCode: exitCodes.refused };
  if (code === "EPIPE") return { text: "", exitCode: exitCodes.ok };
  const hint = options.debug ? "" : " Set QUIESCE_DEBUG=1 to see where.";
  return { text: `quiesce: ${message.split("\n")[0] ?? ""}${hint}${stack}`, exitCode: exitCodes.internal };
}
