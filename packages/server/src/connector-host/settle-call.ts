import { ConnectorError, toConnectorError } from "@quiesce/sdk";
import type { Logger } from "pino";
import type { SecretMask } from "./secret-mask.js";

/** A call that was told to stop gets this long to end; then it is left behind. */
const STOP_GRACE_MS = 5_000;

/** What every call into a connector goes through. */
export interface CallGuard {
  readonly signal: AbortSignal;
  readonly mask: SecretMask;
  readonly log: Logger;
}

/**
 * Calls into a connector. Whatever it throws comes out as a ConnectorError without secrets and without its cause, which goes to the log alone. A
 * connector that does not react to its signal is left behind after {@link STOP_GRACE_MS}.
 */
export async function settleCall<T>(guard: CallGuard, call: () => Promise<T>): Promise<T> {
  if (guard.signal.aborted) throw new ConnectorError("cancelled", "The call was stopped before it began.");
  try {
    return await orLeftBehind(guard.signal, call());
  } catch (thrown) {
    throw maskedError(guard, thrown);
  }
}

/** The error without secrets; its cause and stack go to the log. */
export function maskedError(guard: CallGuard, thrown: unknown): ConnectorError {
  const error = toConnectorError(thrown, guard.signal);
  const { cause, ...info } = error.info;
  const line = { kind: error.kind, message: error.message, trace: traceOf(cause ?? error) };
  guard.log[error.kind === "bug" ? "error" : "debug"](guard.mask.deep(line), "A call into a connector failed.");
  return new ConnectorError(error.kind, guard.mask.text(error.message), guard.mask.deep(info));
}

function orLeftBehind<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const leave = (): void => {
      timer = setTimeout(() => {
        reject(
          new ConnectorError("cancelled", `The connector did not stop within ${STOP_GRACE_MS / 1_000} seconds and was left behind.`, {
            ambiguous: true,
          }),
        );
      }, STOP_GRACE_MS);
    };
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    };
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(settled);
  });
}

function traceOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? thrown.message;
  return thrown.cause instanceof Error ? `${own}\ncaused by ${thrown.cause.stack ?? thrown.cause.message}` : own;
}
