import type { CliClock } from "../cli.js";
import type { GateClient } from "./gate-client.js";
import type { HoldCache } from "./hold-cache.js";
import type { RunningChild } from "./run-child.js";

/** What `exec` needs of the world. */
export interface ExecWorld {
  readonly gate: GateClient;
  readonly cache: HoldCache;
  readonly clock: CliClock;
  /** One line for the person, on stderr. */
  readonly say: (line: string) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly startChild: (input: { readonly run: string | undefined }) => RunningChild;
  /** Calls back with every signal that this process gets, until the returned function is called. */
  readonly onSignal: (listener: (signal: NodeJS.Signals) => void) => () => void;
  readonly exitCodeOf: (signal: NodeJS.Signals) => number;
}
