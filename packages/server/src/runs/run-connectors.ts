/** Where a run uses a connector. */
export const runSides = ["source", "target"] as const;

/** A connector that a run worked with. */
export interface RunConnector {
  readonly side: (typeof runSides)[number];
  /** The endpoint's key. */
  readonly endpoint: string;
  /** What endpoints call it: its alias, or its id. */
  readonly name: string;
  readonly id: string;
  /** null: it comes with Quiesce. */
  readonly package: string | null;
  readonly version: string;
}
