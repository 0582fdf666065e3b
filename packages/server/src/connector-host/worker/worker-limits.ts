/** What a worker may use, and how long it may be silent. */
export interface WorkerLimits {
  /** Its heap, and as much again beside it in buffers. */
  readonly memoryMb: number;
  /** From the start to the connector's description. */
  readonly startMs: number;
  /** A worker that answers no ping for so long is ended: it spins, or is far too busy. */
  readonly silenceMs: number;
  readonly pingEveryMs: number;
  /** A call that was told to stop and goes on for so long ends its worker. */
  readonly stopGraceMs: number;
}

export const defaultWorkerLimits: WorkerLimits = {
  memoryMb: 512,
  startMs: 30_000,
  silenceMs: 10_000,
  pingEveryMs: 1_000,
  stopGraceMs: 5_000,
};
