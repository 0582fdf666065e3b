/** A worker that has ended so often within {@link CRASH_WINDOW_MS} is not started again by itself. */
export const MAX_CRASHES = 5;
export const CRASH_WINDOW_MS = 600_000;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

/** What becomes of a connector whose worker has ended. */
export type RestartVerdict =
  | { readonly kind: "restart"; readonly afterMs: number }
  | { readonly kind: "give-up"; readonly crashes: number; readonly withinMs: number };

/** Decides from when a worker crashed, in any order and with the newest among them; milliseconds of one clock. */
export function decideRestart(crashes: readonly number[], now: number): RestartVerdict {
  const recent = crashes.filter((at) => at > now - CRASH_WINDOW_MS).length;
  if (recent >= MAX_CRASHES) return { kind: "give-up", crashes: recent, withinMs: CRASH_WINDOW_MS };
  return { kind: "restart", afterMs: Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, recent - 1)) };
}
