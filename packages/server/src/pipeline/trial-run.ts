import type { ConnectorError, ErrorKind } from "@quiesce/sdk";
import type { Logger } from "pino";
import type { Database } from "../db/client.js";
import type { RunToExecute } from "../scheduler/run-executor.js";
import { ownTransaction } from "./own-transaction.js";
import type { RunWork } from "./pipeline-run.js";
import { countTrial, loadTrial, type RunningTrial } from "./running-trial.js";

/** A run that fails with one of these while a definition is tried may do so because of that: what it wrote was refused as a whole. */
const BLAMED_KINDS: ReadonlySet<ErrorKind> = new Set(["invalid", "contract", "bug"]);

/** Counts a run for the mappings that were tried beside it. A system that was away is nobody's fault. */
export async function countTrialRun(
  work: RunWork & { readonly trial: RunningTrial | null },
  failure: ConnectorError | undefined,
): Promise<void> {
  const { trial, permit, run } = work;
  if (trial === null || trial.isOver) return;
  const isBlamed = failure !== undefined && trial.kind === "canary" && BLAMED_KINDS.has(failure.kind);
  const counted = { runs: failure === undefined ? 1 : 0, failedRuns: isBlamed ? 1 : 0 };
  await ownTransaction(work, (tx) => countTrial(tx, { trial, integration: run.integrationKey, mask: permit.mask }, counted));
}

/** Promotes a trial that has passed, also one that passed under a process that died before. When that fails the trial says so; the run goes on. */
export async function promotePassed(
  options: { readonly database: Database; readonly promote?: (trialId: number) => Promise<void> },
  { run, log }: { readonly run: RunToExecute; readonly log: Logger },
): Promise<void> {
  if (options.promote === undefined) return;
  const trial = await loadTrial(options.database.db, run.integrationId);
  if (trial?.state !== "promoting") return;
  try {
    await options.promote(trial.id);
  } catch (error) {
    log.error({ err: error, trial: trial.id }, "A trial that passed could not be promoted.");
  }
}
