import { ConnectorError, type ErrorKind, toConnectorError } from "@quiesce/sdk";
import { DrizzleQueryError } from "drizzle-orm";
import type { Logger } from "pino";
import type { ConnectorHost } from "../connector-host/connector-host.js";
import { requireGoingOn, RunLostError, type RunPermit, withRunPermit } from "../connector-host/run-permit.js";
import { maskedError } from "../connector-host/settle-call.js";
import type { Database } from "../db/client.js";
import { closeInbox, deliverInbox, openInbox } from "../inbox/deliver-inbox.js";
import type { RunOutcome } from "../runs/finish.js";
import type { AbortReason, RunExecutor, RunToExecute } from "../scheduler/run-executor.js";
import { copyStream } from "./copy-stream.js";
import { loadRoute } from "./load-route.js";
import { ownDatabaseError } from "./own-transaction.js";
import { replayLetters } from "./replay-letters.js";
import { failedOutcome, lostOutcome, stoppedOutcome } from "./run-outcome.js";
import { createTally, type Tally } from "./tally.js";

/** Records a page, unless told otherwise. */
const PAGE_SIZE = 500;

export interface PipelineOptions {
  readonly database: Database;
  readonly host: ConnectorHost;
  readonly log: Logger;
  /** Records asked for at once, 1 to 10,000. */
  readonly pageSize?: number;
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
  try {
    const failure = await withRunPermit({ database: options.database, run, signal }, async (permit) => {
      try {
        const route = await loadRoute(options.database.db, run);
        tally = createTally(route.figures);
        return await copyStreams(options, { route, permit, tally, log });
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

/** Copies every stream; answers the first failure that concerned one stream only, throws any other. */
async function copyStreams(
  options: PipelineOptions,
  facts: { readonly route: Awaited<ReturnType<typeof loadRoute>>; readonly permit: RunPermit; readonly tally: Tally; readonly log: Logger },
): Promise<ConnectorError | undefined> {
  const { route, permit, tally, log } = facts;
  const source = route.sourceEndpointId === null ? null : await options.host.openEndpoint(permit, route.sourceEndpointId);
  const target = await options.host.openEndpoint(permit, route.targetEndpointId);
  const run = { database: options.database, run: permit.run, permit, target, tally, pageSize: options.pageSize ?? PAGE_SIZE, log };
  const span = route.work === "push" ? await openInbox(run) : null;
  let failure: ConnectorError | undefined;
  for (const stream of route.streams) {
    requireGoingOn(permit.signal);
    try {
      if (span !== null) await deliverInbox({ ...run, stream }, span);
      else if (route.work === "replay") await replayLetters({ ...run, stream });
      else if (source !== null) await copyStream({ ...run, source, stream, confirmsDeletions: route.confirmsDeletions });
    } catch (thrown) {
      if (thrown instanceof RunLostError) throw thrown;
      const error = toConnectorError(thrown);
      if (!STREAM_KINDS.has(error.kind)) throw thrown;
      failure ??= error;
    }
  }
  if (span !== null) await closeInbox(run);
  return failure;
}
