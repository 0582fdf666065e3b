import type { StreamEntry } from "@quiesce/core";
import type { Logger } from "pino";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import type { RunPermit } from "../connector-host/run-permit.js";
import type { Database } from "../db/client.js";
import type { RunToExecute } from "../scheduler/run-executor.js";
import type { RunningTrial } from "./running-trial.js";
import type { Tally } from "./tally.js";

/** What every step of any run works with. */
export interface RunWork {
  readonly database: Database;
  /** Connections for what is repeated at every page; those of `database` when left out. */
  readonly pages?: Database | undefined;
  readonly run: RunToExecute;
  readonly permit: RunPermit;
  readonly tally: Tally;
  readonly log: Logger;
}

/** What every step of one run's pipeline works with. */
export interface PipelineRun extends RunWork {
  readonly target: OpenEndpoint;
  /** Other mappings that are tried meanwhile. */
  readonly trial: RunningTrial | null;
  /** Whether it is noted what becomes of each record. */
  readonly traces: boolean;
  /** Records that are asked for at once. */
  readonly pageSize: number;
}

/** One stream of the integration, within a run. */
export interface StreamRun extends PipelineRun {
  readonly stream: StreamEntry;
}

/** One stream that is read from a source. */
export interface ReadingRun extends StreamRun {
  readonly source: OpenEndpoint;
  /** Somebody said that what the source no longer has may be deleted, however much it is. */
  readonly confirmsDeletions: boolean;
}
