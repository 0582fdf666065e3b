import type { StopReason } from "@quiesce/sdk";

/** Why a call is stopped, from the reason of its signal. */
export function whyOf(signal: AbortSignal): StopReason {
  const reason: unknown = signal.reason;
  const why: unknown = typeof reason === "object" && reason !== null ? Reflect.get(reason, "why") : undefined;
  return why === "window" || why === "timeout" || why === "shutdown" ? why : "cancel";
}

/** What ended a worker, for people. */
export function wordsOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return "it ran out of memory";
  return `an error that nobody caught: ${error instanceof Error ? error.message : String(error)}`;
}
