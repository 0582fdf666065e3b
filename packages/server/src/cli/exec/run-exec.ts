import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { admit, type Admission, type AdmitOptions } from "./admit.js";
import type { ExecWorld } from "./exec-world.js";
import type { Lease } from "./gate-client.js";
import { keepLease, killGraceMs, type LeaseEnd } from "./keep-lease.js";
import { refreshCache } from "./refresh-cache.js";
import type { ChildEnd, RunningChild } from "./run-child.js";

/** What `exec` is asked to do. */
export interface ExecInput extends AdmitOptions {
  readonly command: readonly string[];
}

const LEAVE_TRIES = 5;
const LEAVE_RETRY_MS = 1_000;
/** A command that was quicker than the refresh of the cache waits so long for it. */
const REFRESH_WAIT_MS = 1_000;
/** During long work the cache is refreshed at most so often. */
const REFRESH_EVERY_MS = 5 * 60_000;

/** Signals from the beginning to the end: one that comes in the very moment of the start must reach the command as well. */
interface Signals {
  /** The last one that came. */
  received: NodeJS.Signals | undefined;
  /** Whom they are passed on to. */
  child: RunningChild | undefined;
}

/** Runs a command behind the gate of an integration; answers the exit code. Throws CliError when it cannot even begin. */
export async function runExec(input: ExecInput, world: ExecWorld): Promise<number> {
  const waiting = new AbortController();
  const signals: Signals = { received: undefined, child: undefined };
  const stopListening = world.onSignal((signal) => {
    signals.received = signal;
    waiting.abort();
    signals.child?.forward(signal);
  });
  try {
    const admission = await admit(input, world, waiting.signal);
    return await runAdmitted(input, world, { admission, signals });
  } finally {
    stopListening();
  }
}

async function runAdmitted(
  input: ExecInput,
  world: ExecWorld,
  { admission, signals }: { readonly admission: Admission; readonly signals: Signals },
): Promise<number> {
  const { received } = signals;
  if (admission.kind === "refused") return received === undefined ? exitCodes.held : world.exitCodeOf(received);
  if (received !== undefined) {
    if (admission.kind === "entered") await leave(world, admission.lease, { exitCode: world.exitCodeOf(received) });
    return world.exitCodeOf(received);
  }
  const child = world.startChild({ run: admission.kind === "entered" ? admission.lease.run : undefined });
  signals.child = child;
  return admission.kind === "entered" ? runWithLease(input, world, { admission, child }) : exitOf(await child.ended, world);
}

async function runWithLease(
  input: ExecInput,
  world: ExecWorld,
  { admission, child }: { readonly admission: Extract<Admission, { readonly kind: "entered" }>; readonly child: RunningChild },
): Promise<number> {
  const working = new AbortController();
  const refreshed = new AbortController();
  const kept = keepLease({
    gate: world.gate,
    lease: admission.lease,
    leaseSeconds: input.leaseSeconds,
    since: admission.since,
    clock: world.clock,
    signal: working.signal,
    sleep: world.sleep,
    ...leaseNotes(world),
  });
  try {
    const first = await Promise.race([child.ended, kept.then((end) => ({ lease: end }))]);
    if ("lease" in first && first.lease !== null) return await stopForLostLease(input, world, { child, why: first.lease });
    const end = await child.ended;
    working.abort();
    await leave(world, admission.lease, end);
    return exitOf(end, world);
  } finally {
    working.abort();
    await kept;
    await Promise.race([admission.refreshed, world.sleep(REFRESH_WAIT_MS, refreshed.signal)]);
    refreshed.abort();
  }
}

/** What happens and is said while a lease is kept: the cache stays fresh, and trouble is told once until it is over. */
function leaseNotes(world: ExecWorld): { readonly onRenewed: () => void; readonly onTrouble: (error: CliError) => void } {
  let refreshedAt = world.clock.monotonicMs();
  let inTrouble = false;
  return {
    onRenewed: () => {
      if (inTrouble) world.say("the lease is renewed again");
      inTrouble = false;
      if (world.clock.monotonicMs() - refreshedAt < REFRESH_EVERY_MS) return;
      refreshedAt = world.clock.monotonicMs();
      void refreshCache(world);
    },
    onTrouble: (error) => {
      if (!inTrouble) world.say(`the lease could not be renewed, trying again: ${error.message}`);
      inTrouble = true;
    },
  };
}

function exitOf(end: ChildEnd, world: ExecWorld): number {
  if (end.failure !== undefined) world.say(end.failure);
  return end.exitCode;
}

async function stopForLostLease(
  input: ExecInput,
  world: ExecWorld,
  { child, why }: { readonly child: RunningChild; readonly why: LeaseEnd },
): Promise<number> {
  const reason =
    why === "lost"
      ? "the server says that the lease is not ours any more"
      : `the lease of ${input.leaseSeconds} s could not be renewed in time; a longer --lease outlasts longer outages`;
  world.say(`stopping the command: ${reason}. A window may count on this work being over.`);
  child.kill("SIGTERM");
  const grace = new AbortController();
  const inTime = await Promise.race([
    child.ended.then(() => true),
    world.sleep(killGraceMs(input.leaseSeconds), grace.signal).then(() => false),
  ]);
  grace.abort();
  // Also after a quick end: what the command started may still be there.
  child.kill("SIGKILL");
  if (!inTime) await child.ended;
  return exitCodes.leaseLost;
}

/** Tells the server how it ended. A run that cannot be reported ends as lost there; the command's own exit code stands either way. */
async function leave(world: ExecWorld, lease: Lease, end: Pick<ChildEnd, "exitCode">): Promise<void> {
  const never = new AbortController().signal;
  for (let tries = 1; ; tries += 1) {
    try {
      await world.gate.leave(lease, { succeeded: end.exitCode === 0, exitCode: end.exitCode });
      return;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      if (error.exit !== "unreachable" || tries === LEAVE_TRIES) {
        world.say(`the end of run ${lease.run} could not be recorded: ${error.message}`);
        return;
      }
      await world.sleep(LEAVE_RETRY_MS, never);
    }
  }
}
