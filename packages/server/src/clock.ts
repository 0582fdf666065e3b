import { uptime } from "node:os";
import { performance } from "node:perf_hooks";

/** The process's own times, for waiting and measuring only: decisions take the database's clock. The one reader of the time. */
export const clock = {
  /** Wall clock in epoch milliseconds; for logs and for local timers, never for a verdict. */
  wallMs: (): number => Date.now(),
  /** Monotonic milliseconds; never goes back when somebody sets the clock. */
  monotonicMs: (): number => performance.now(),
  /** Milliseconds since the machine was started; like the monotonic ones, but they go on while it is suspended. Coarse: up to a second. */
  uptimeMs: (): number => uptime() * 1_000,
};
