/** What happened so often that a seed which lacks it proves little. */
export interface Tally {
  steps: number;
  starts: number;
  held: number;
  windows: number;
  crashes: number;
  overlaps: number;
  retries: number;
  zombies: number;
  gates: number;
  aborts: number;
  postponed: number;
  passages: number;
  requestedApprovals: number;
  approved: number;
  announced: number;
  extended: number;
  endedEarly: number;
  changedCovers: number;
  verified: number;
  overrun: number;
  reheld: number;
  canaries: number;
  canariesRetried: number;
  freezesOverridden: number;
  ramped: number;
  overrides: number;
  /** Changes of the zone data, and what they moved. */
  zoneUpdates: number;
  movedOccurrences: number;
  rezonedJobs: number;
  /** Occurrences that had begun and kept their instants through a change of the zone data. */
  keptInstants: number;
  /** Refusals of what was computed with zone data that are not in force any more. */
  otherZoneData: number;
  /** Wall clocks of a server that were set wrong, or right again. */
  skews: number;
  /** Jumps of the database's clock. */
  clockSteps: number;
}

/** What is counted by its events. */
export const countedKinds: { readonly [kind: string]: keyof Tally } = {
  "run.postponed": "postponed",
  "window.approval-requested": "requestedApprovals",
  "window.approved": "approved",
  "window.announced": "announced",
  "window.extended": "extended",
  "window.ended": "endedEarly",
  "window.verification-started": "verified",
  "window.overrun": "overrun",
  "window.reheld": "reheld",
  "window.canaries-retried": "canariesRetried",
  "window.freeze-overridden": "freezesOverridden",
};

export const emptyTally = (): Tally => ({
  steps: 0,
  starts: 0,
  held: 0,
  windows: 0,
  crashes: 0,
  overlaps: 0,
  retries: 0,
  zombies: 0,
  gates: 0,
  aborts: 0,
  postponed: 0,
  passages: 0,
  requestedApprovals: 0,
  approved: 0,
  announced: 0,
  extended: 0,
  endedEarly: 0,
  changedCovers: 0,
  verified: 0,
  overrun: 0,
  reheld: 0,
  canaries: 0,
  canariesRetried: 0,
  freezesOverridden: 0,
  ramped: 0,
  overrides: 0,
  zoneUpdates: 0,
  movedOccurrences: 0,
  rezonedJobs: 0,
  keptInstants: 0,
  otherZoneData: 0,
  skews: 0,
  clockSteps: 0,
});
