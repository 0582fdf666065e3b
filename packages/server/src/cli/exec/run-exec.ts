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

/** Runs a command behind the gate of an integration; answers the exit code. Throws CliError when it cannot even begin. */
export async function runExec(input: ExecInput, world: ExecWorld): Promise<number> {
  const waiting = new AbortController();
  let ended: NodeJS.Signals | undefined;
  const stopListening = world.onSignal((signal) => {
    ended = signal;
    waiting.abort();
  });
  let admission: Admission;
  try {
    admission = await admit(input, world, waiting.signal);
  } finally {
    stopListening();
  }
  if (admission.kind === "refused") return ended === undefined ? exitCodes.held : world.exitCodeOf(ended);
  if (ended !== undefined) {
    if (admission.kind === "entered") await leave(world, admission.lease, { exitCode: world.exitCodeOf(ended) });
    return world.exitCodeOf(ended);
  }
  return admission.kind === "entered" ? runWithLease(input, world, admission) : runWithoutLease(world);
}

async function runWithoutLease(world: ExecWorld): Promise<number> {
  const child = world.startChild({ run: undefined });
  const stopForwarding = world.onSignal((signal) => child.forward(signal));
  try {
    return exitOf(await child.ended, world);
  } finally {
    stopForwarding();
  }
}

async function runWithLease(input: ExecInput, world: ExecWorld, admission: Extract<Admission, { readonly kind: "entered" }>): Promise<number> {
  const working = new AbortController();
  const refreshed = new AbortController();
  const child = world.startChild({ run: admission.lease.run });
  const stopForwarding = world.onSignal((signal) => child.forward(signal));
  let refreshedAt = world.clock.monotonicMs();
  let inTrouble = false;
  const kept = keepLease({
    gate: world.gate,
    lease: admission.lease,
    leaseSeconds: input.leaseSeconds,
    since: admission.since,
    clock: world.clock,
    signal: working.signal,
    sleep: world.sleep,
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
  });
  try {
    const first = await Promise.race([child.ended, kept.then((end) => ({ lease: end }))]);
    if (!("lease" in first) || first.lease === null) {
      const end = await child.ended;
      working.abort();
      await leave(world, admission.lease, end);
      return exitOf(end, world);
    }
    return await stopForLostLease(input, world, child, first.lease);
  } finally {
    working.abort();
    stopForwarding();
    await kept;
    await Promise.race([admission.refreshed, world.sleep(REFRESH_WAIT_MS, refreshed.signal)]);
    refreshed.abort();
  }
}

function exitOf(end: ChildEnd, world: ExecWorld): number {
  if (end.failure !== undefined) world.say(end.failure);
  return end.exitCode;
}

async function stopForLostLease(input: ExecInput, world: ExecWorld, child: RunningChild, why: LeaseEnd): Promise<number> {
  const reason =
    why === "lost" ? "the server says that the lease is not ours any more" : `the lease of ${input.leaseSeconds} s could not be renewed in time; a longer --lease outlasts longer outages`;
  world.say(`stopping the command: ${reason}. A window may count on this work being over.`);
  child.kill("SIGTERM");
  const grace = new AbortController();
  const inTime = await Promise.race([child.ended.then(() => true), world.sleep(killGraceMs(input.leaseSeconds), grace.signal).then(() => false)]);
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
