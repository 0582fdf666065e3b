/** What a run did, by record. */
export interface RunFigures {
  readonly read?: number;
  readonly written?: number;
  readonly unchanged?: number;
  readonly deleted?: number;
  readonly dead?: number;
  /** What the mapping's condition passed over. */
  readonly skipped?: number;
  readonly exitCode?: number;
}

/** Why a run failed, as it is stored and shown. Never a secret. */
export interface RunError {
  readonly kind: string;
  readonly message: string;
}
