import { ConnectorError, type ErrorKind, toConnectorError } from "@quiesce/sdk";
import { DrizzleQueryError } from "drizzle-orm";
import type { Logger } from "pino";
import type { ConnectorHost } from "../connector-host/connector-host.js";
import { requireGoingOn, RunLostError, type RunPermit, withRunPermit } from "../connector-host/run-permit.js";
import { maskedError } from "../connector-host/settle-call.js";
import { runPauseOf } from "../connector-host/traffic/run-pause.js";
import { pullAlerts } from "../alerts/pull-alerts.js";
import type { Database } from "../db/client.js";
import { closeInbox, deliverInbox, openInbox } from "../inbox/deliver-inbox.js";
import type { RunOutcome } from "../runs/finish.js";
import type { AbortReason, RunExecutor, RunToExecute } from "../scheduler/run-executor.js";
import { copyStream } from "./copy-stream.js";
import { dryRun } from "./dry-run.js";
import { type AlertRoute, loadRoute, type Route } from "./load-route.js";
import { ownDatabaseError } from "./own-transaction.js";
import { noteConnectors } from "./note-connectors.js";
import type { PipelineRun, ReadingRun } from "./pipeline-run.js";
import { closeReconciliation, loadResync, openReconciliation } from "../reconciliation/open-order.js";
import { reconcileStream } from "../reconciliation/reconcile-stream.js";
import { SECOND_LOOK_AFTER_MS } from "../reconciliation/reconciling-run.js";
import { resyncStream } from "../reconciliation/resync-stream.js";
import { replayLetters } from "./replay-letters.js";
import { shadowNewStreams } from "./shadow-new-streams.js";
import { failedOutcome, lostOutcome, stoppedOutcome } from "./run-outcome.js";
import { loadTrial, type RunningTrial } from "./running-trial.js";
import { countTrialRun, promotePassed } from "./trial-run.js";
import { takeTargetChanges } from "./take-target-changes.js";
import { createTally, type Tally } from "./tally.js";
import { beginTwoWay, isTwoWay } from "./two-way-stream.js";

/** Records a page, unless told otherwise. */
const PAGE_SIZE = 500;

export interface PipelineOptions {
  readonly database: Database;
  /** Connections for what is repeated at every page; those of `database` when left out. */
  readonly pages?: Database;
  readonly host: ConnectorHost;
  readonly log: Logger;
  /** Records asked for at once, 1 to 10,000. */
  readonly pageSize?: number;
  /** Whether it is noted what becomes of each record; yes when left out. */
  readonly traces?: boolean;
  /** Between the two looks of a comparison, in milliseconds. */
  readonly secondLookAfterMs?: number;
  /** Makes a trial's candidate the definition, once it has passed; without it passed trials wait for a server that can. */
  readonly promote?: (trialId: number) => Promise<void>;
}

/** What goes wrong in one stream only; the other streams of the integration are copied all the same. */
const STREAM_KINDS: ReadonlySet<ErrorKind> = new Set(["not_found", "invalid", "conflict", "contract"]);

/** Runs an integration: read, map, write, commit, stream by stream. */
export function createPipelineExecutor(options: PipelineOptions): RunExecutor {
  return { execute: (run, signal) => execute(options, run, signal) };
}

async function execute(options: PipelineOptions, run: RunToExecute, signal: AbortSignal): Promise<RunOutcome> {
  const log = options.log.child({ runId: run.runId, attempt: run.attempt, job: run.jobKey, integration: run.integrationKey });
  let tally = createTally(null);
  let trial: RunningTrial | null = null;
  try {
    const failure = await withRunPermit({ database: options.database, run, signal }, async (permit) => {
      try {
        await promotePassed(options, { run, log });
        const route = await loadRoute(options.database.db, run);
        trial = await loadTrial(options.database.db, run.integrationId);
        tally = createTally(route.figures);
        const facts = { permit, tally, log, trial };
        return route.work === "alerts" ? await lookAtMonitor(options, { ...facts, route }) : await copyTrying(options, { ...facts, route });
      } catch (thrown) {
        if (thrown instanceof RunLostError) throw thrown;
        // The permit's mask knows every secret of the run, and ends with it.
        return maskedError(
          { signal: permit.signal, mask: permit.mask, log },
          thrown instanceof DrizzleQueryError ? ownDatabaseError(thrown) : thrown,
        );
      }
    });
    if (failure === undefined) return { kind: "succeeded", figures: tally.figures };
    const pause = runPauseOf(run, failure.kind);
    if (pause !== undefined && !signal.aborted) return { kind: "given-back", reason: pause.why, until: pause.until };
    return signal.aborted ? stoppedOutcome(signal.reason as AbortReason, tally.figures) : failedOutcome(failure, tally.figures);
  } catch (thrown) {
    if (thrown instanceof RunLostError) {
      log.warn("The run was taken from this worker; nothing more is written for it.");
      return lostOutcome(tally.figures);
    }
    log.error({ err: thrown }, "A run could not be begun.");
    return failedOutcome(
      new ConnectorError("transient", "The run could not be begun; the server's log has the reason under the run's id."),
      tally.figures,
    );
  }
}

/** Takes what a monitor says. */
async function lookAtMonitor(
  options: PipelineOptions,
  facts: { readonly route: AlertRoute; readonly permit: RunPermit; readonly tally: Tally; readonly log: Logger },
): Promise<undefined> {
  const { route, permit, tally, log } = facts;
  const endpoint = await options.host.openEndpoint(permit, route.sourceEndpointId);
  if (!endpoint.facets.includes("alerts"))
    throw new ConnectorError(
      "config",
      `Integration "${permit.run.integrationKey}" has a job but lacks a target and streams that are read. Only a monitor's alerts are taken without them, and the connector of endpoint "${endpoint.key}" gives none. Add them, or take the job's schedule away.`,
    );
  await noteConnectors({ database: options.database, run: permit.run }, [{ side: "source", endpoint }]);
  await pullAlerts({ database: options.database, run: permit.run, permit, tally, log }, { id: route.sourceEndpointId, endpoint });
  return undefined;
}

interface CopyFacts {
  readonly route: Route;
  readonly permit: RunPermit;
  readonly tally: Tally;
  readonly trial: RunningTrial | null;
  readonly log: Logger;
}

/** Copies every stream, and counts the run for mappings that are being tried. */
async function copyTrying(options: PipelineOptions, facts: CopyFacts): Promise<ConnectorError | undefined> {
  const work = { ...facts, database: options.database, run: facts.permit.run };
  const isTried = facts.route.work === "read" || facts.route.work === "push";
  let failure: ConnectorError | undefined;
  try {
    failure = await copyStreams(options, facts);
  } catch (thrown) {
    if (isTried && !(thrown instanceof RunLostError)) await countTrialRun(work, toConnectorError(thrown));
    throw thrown;
  }
  if (isTried) await countTrialRun(work, failure);
  await promotePassed(options, work);
  return failure;
}

/** Copies every stream; answers the first failure that concerned one stream only, throws any other. */
async function copyStreams(options: PipelineOptions, facts: CopyFacts): Promise<ConnectorError | undefined> {
  const { route, permit, tally, trial, log } = facts;
  const source = route.sourceEndpointId === null ? null : await options.host.openEndpoint(permit, route.sourceEndpointId);
  const target = await options.host.openEndpoint(permit, route.targetEndpointId);
  await noteConnectors({ database: options.database, run: permit.run }, [
    ...(source === null ? [] : [{ side: "source" as const, endpoint: source }]),
    { side: "target", endpoint: target },
  ]);
  const run = {
    database: options.database,
    pages: options.pages,
    run: permit.run,
    permit,
    target,
    tally,
    trial,
    traces: options.traces ?? true,
    pageSize: options.pageSize ?? PAGE_SIZE,
    log,
  };
  if (route.work === "dry-run" && source !== null) return dryRun({ ...run, source, streams: route.streams });
  const span = route.work === "push" ? await openInbox(run) : null;
  const reading = await beginReading(options, run, route.work);
  let failure: ConnectorError | undefined;
  for (const stream of route.streams) {
    requireGoingOn(permit.signal);
    try {
      if (span !== null) await deliverInbox({ ...run, stream }, span);
      else if (route.work === "replay") await replayLetters({ ...run, stream });
      else if (source !== null) await reading.each({ ...run, source, stream, confirmsDeletions: route.confirmsDeletions });
    } catch (thrown) {
      if (thrown instanceof RunLostError) throw thrown;
      const error = toConnectorError(thrown);
      if (!STREAM_KINDS.has(error.kind)) throw thrown;
      failure ??= error;
    }
  }
  if (span !== null) await closeInbox(run);
  if (failure === undefined) await reading.end();
  if (route.work === "read" && source !== null) await shadowNewStreams({ ...run, source }, route.streams);
  return failure;
}

/** What is done with each stream that is read, and when all of them went well. */
async function beginReading(
  options: PipelineOptions,
  run: PipelineRun,
  work: Route["work"],
): Promise<{ readonly each: (stream: ReadingRun) => Promise<void>; readonly end: () => Promise<void> }> {
  if (work === "reconcile") {
    const reconciliationId = await openReconciliation(run);
    const order = { reconciliationId, secondLookAfterMs: options.secondLookAfterMs ?? SECOND_LOOK_AFTER_MS };
    return { each: (stream) => reconcileStream(stream, order), end: () => closeReconciliation(run, reconciliationId) };
  }
  if (work !== "resync") return { each: copyStream, end: async () => undefined };
  const order = await loadResync(options.database.db, run.run);
  const each = async (stream: ReadingRun): Promise<void> => {
    if (isTwoWay(stream)) {
      await beginTwoWay(stream);
      await takeTargetChanges(stream);
    }
    await resyncStream(stream, order);
  };
  return { each, end: async () => undefined };
}
