import { CliError } from "../cli-error.js";
import type { CliClock } from "../cli.js";
import type { GateClient, Lease } from "./gate-client.js";

/** Why a lease ended: the server said so, or no server could be asked before its time was over. */
export type LeaseEnd = "lost" | "expired";

const RETRY_MS = 1_000;

/** How long a command may take to end by itself after the first signal; within the lease, so that it is gone before anyone believes so. */
export function killGraceMs(leaseSeconds: number): number {
  return Math.min(5_000, (leaseSeconds * 1_000) / 6);
}

/**
 * Renews a lease every third of its life until `signal` says that the work is over (then it resolves to null) or the lease cannot be kept. Times
 * are counted on the monotonic clock from before the request was sent, so that this side never believes in a lease longer than the server.
 */
export async function keepLease(input: {
  readonly gate: GateClient;
  readonly lease: Lease;
  readonly leaseSeconds: number;
  /** Monotonic ms from before the lease was asked for. */
  readonly since: number;
  readonly clock: CliClock;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onRenewed?: () => void;
  readonly onTrouble?: (error: CliError) => void;
}): Promise<LeaseEnd | null> {
  const { clock, signal } = input;
  const leaseMs = input.leaseSeconds * 1_000;
  // Time for TERM, KILL and a little more.
  const giveUpBeforeMs = killGraceMs(input.leaseSeconds) * 2;
  let since = input.since;
  let wait = leaseMs / 3;
  while (!signal.aborted) {
    const deadline = since + leaseMs - giveUpBeforeMs;
    await input.sleep(Math.max(0, Math.min(wait, deadline - clock.monotonicMs())), signal);
    if (signal.aborted) return null;
    const asked = clock.monotonicMs();
    const renewed = await Promise.race([renew(input), untilDeadline(input, deadline - asked)]);
    if (renewed === "lost" || renewed === "expired") return renewed;
    if (renewed === "renewed") {
      since = asked;
      wait = leaseMs / 3;
      input.onRenewed?.();
    } else if (clock.monotonicMs() >= deadline) {
      return "expired";
    } else {
      wait = RETRY_MS;
    }
  }
  return null;
}

/** A server that takes the request and never answers must not outlive the lease. */
async function untilDeadline(input: Parameters<typeof keepLease>[0], ms: number): Promise<"expired"> {
  await input.sleep(ms, input.signal);
  return "expired";
}

async function renew(input: Parameters<typeof keepLease>[0]): Promise<"renewed" | "lost" | "trouble"> {
  try {
    await input.gate.renew(input.lease, input.leaseSeconds);
    return "renewed";
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.code === "QSC_GATE_LEASE_LOST" || error.exit === "denied") return "lost";
    if (!input.signal.aborted) input.onTrouble?.(error);
    return "trouble";
  }
}
