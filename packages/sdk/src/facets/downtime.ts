import type { Context } from "../context.js";

/** A maintenance window as a monitor should know it. */
export interface Downtime {
  /** The window's occurrence here: announcing it twice must give one downtime there, so keep this in its comment or tag. */
  readonly windowId: string;
  /** ISO 8601 UTC. */
  readonly start: string;
  /** ISO 8601 UTC, after `start`. */
  readonly end: string;
  /** Names of the monitor's resources; see `Alert.resource`. At least one. */
  readonly resources: readonly string[];
  /** One line for those who read it at the monitor. */
  readonly title: string;
  /** Only keep quiet, or do not look at all. Monitors that know only one of both do that one. */
  readonly suppress: "notifications" | "checks";
}

/** A downtime that is at the monitor. */
export interface RemoteDowntime {
  readonly id: string;
  /** The window's occurrence here, if `announce` made it; absent for one that somebody made there. */
  readonly windowId?: string;
  readonly start: string;
  readonly end: string;
  readonly resources: readonly string[];
  readonly title: string;
  /** Who made it there. */
  readonly author?: string;
}

/** Telling a monitor about maintenance windows. */
export interface DowntimeCapability<C, S> {
  /**
   * Makes sure that the monitor knows the downtime, and answers with its ids there: one where the monitor can say it all in one, several where each
   * resource needs its own. Idempotent by `windowId`: what is there already is kept, what differs (another end, a resource more or less) is put right.
   * Throws `not_found` with `field` if the monitor has no such resource.
   */
  announce(x: Context<C, S>, downtime: Downtime): Promise<{ readonly ids: readonly string[] }>;
  /** Takes away what `announce` made for a window. What is gone already is a success. */
  withdraw(x: Context<C, S>, windowId: string): Promise<void>;
  /** What is there now or will be, ours and theirs: with it the engine finds drift after a crash, and shows theirs to people. */
  list(x: Context<C, S>): Promise<readonly RemoteDowntime[]>;
}

/** Telling a monitor about maintenance windows. */
export interface DowntimeFacet<C, S> {
  readonly downtime?: DowntimeCapability<C, S>;
}
