/** What a window does to those it covers, one row a kind: whoever asks what a kind means reads it here. */
interface WindowEffects {
  /** `everything`: no run of a covered integration starts. `writes`: only integrations that write to what is covered are. */
  readonly holds: "everything" | "writes";
  /** Alerts of the covered systems are suppressed, with the window as the reason. */
  readonly mutesAlerts: boolean;
  /** Its time may be taken out of the net availability, as far as the agreement allows. */
  readonly leavesNetSla: boolean;
  /** No change may be planned on what it covers. */
  readonly blocksChanges: boolean;
  /** Something is changed on what it covers: what blocks changes refuses it. */
  readonly changes: boolean;
  /** Monitors are told of it, owners of covered integrations as well. */
  readonly announces: boolean;
}

/**
 * The one table of kinds and effects. A freeze holds writes and blocks changes, nothing else: the systems are up and watched. A change holds
 * everything as maintenance does, for nothing may run into a system that is half changed, but it is no downtime that an agreement forgives.
 */
export const windowKindEffects = {
  maintenance: { holds: "everything", mutesAlerts: true, leavesNetSla: true, blocksChanges: false, changes: false, announces: true },
  freeze: { holds: "writes", mutesAlerts: false, leavesNetSla: false, blocksChanges: true, changes: false, announces: false },
  change: { holds: "everything", mutesAlerts: true, leavesNetSla: false, blocksChanges: false, changes: true, announces: true },
} as const satisfies { readonly [kind: string]: WindowEffects };

export type WindowKind = keyof typeof windowKindEffects;

export const windowKinds = ["maintenance", "freeze", "change"] as const satisfies readonly WindowKind[];

/** What of an integration's work a hold keeps from starting. */
export type HoldCoverage = WindowEffects["holds"];
