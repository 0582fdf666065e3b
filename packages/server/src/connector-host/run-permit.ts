import { ConnectorError, type StopReason } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import type { Database, Tx } from "../db/client.js";
import type { AbortReason, RunToExecute } from "../scheduler/run-executor.js";
import { createSecretMask, type SecretMask } from "./secret-mask.js";

declare const permitBrand: unique symbol;

/**
 * The right to call connectors for one claimed run. Only {@link withRunPermit} makes one, after it has seen the run as claimed in the database;
 * it ends with the work it was made for. Whoever calls a connector (save for its `check`) has to show it.
 */
export interface RunPermit {
  readonly [permitBrand]: true;
  readonly run: RunToExecute;
  /** Aborted when the run is told to stop, and when the permit ends; its reason is `{ why }` as connectors know it. */
  readonly signal: AbortSignal;
  /** When the run's time is up, on the monotonic clock. */
  readonly deadlineMonotonicMs: number;
  readonly mask: SecretMask;
}

/** The run is no longer ours: another worker has it, or it ended. Nothing of it may be written any more. */
export class RunLostError extends Error {
  override readonly name = "RunLostError";

  constructor(run: RunToExecute) {
    super(`The run ${run.runId} (attempt ${run.attempt}) is no longer this worker's.`);
  }
}

const valid = new WeakSet<RunPermit>();
const connectorReasons: { readonly [why in AbortReason["why"]]: StopReason } = {
  timeout: "timeout",
  shutdown: "shutdown",
  "lease-lost": "cancel",
  window: "window",
};

/** Does `work` with a permit for a claimed run. Throws a RunLostError if the run is not running under this worker and attempt. */
export async function withRunPermit<T>(
  input: { readonly database: Database; readonly run: RunToExecute; readonly signal: AbortSignal },
  work: (permit: RunPermit) => Promise<T>,
): Promise<T> {
  const { run, signal } = input;
  await requireOwnRun(input.database.db, run);
  const stop = new AbortController();
  const pass = (): void => stop.abort({ why: connectorReasons[(signal.reason as AbortReason).why] ?? "cancel" });
  if (signal.aborted) pass();
  else signal.addEventListener("abort", pass, { once: true });
  const facts = { run, signal: stop.signal, deadlineMonotonicMs: clock.monotonicMs() + run.timeoutMs, mask: createSecretMask() };
  // The brand exists in types only: at run time the set of valid permits is the proof.
  const permit = Object.freeze(facts) as unknown as RunPermit;
  valid.add(permit);
  try {
    return await work(permit);
  } finally {
    valid.delete(permit);
    signal.removeEventListener("abort", pass);
    // What a connector still does behind our back ends here.
    stop.abort({ why: "cancel" satisfies StopReason });
  }
}

/** Refuses a permit that nobody granted or that has ended. This is a bug of the caller, never of a connector. */
export function requirePermit(permit: RunPermit): void {
  if (valid.has(permit)) return;
  throw new Error("A connector may be called only for a claimed run: this permit was not granted, or its run has ended.");
}

/** Throws a RunLostError unless the run is running under this worker and attempt right now. */
async function requireOwnRun(tx: Tx, run: RunToExecute): Promise<void> {
  const rows = await tx.execute(sql`
    select from run where id = ${run.runId}::uuid and due_at = ${run.dueAt}::timestamptz
      and state = 'running' and worker_id = ${run.workerId}::uuid and attempt = ${run.attempt}`);
  if (rows.length === 0) throw new RunLostError(run);
}

/** Throws if the run was told to stop. */
export function requireGoingOn(signal: AbortSignal): void {
  if (signal.aborted) throw new ConnectorError("cancelled", "The run was told to stop.");
}
