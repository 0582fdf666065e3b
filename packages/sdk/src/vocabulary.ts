/** How bad something is, worst first. */
export const SEVERITIES = ["critical", "major", "minor", "warning", "info"] as const;

/** One of {@link SEVERITIES}. */
export type Severity = (typeof SEVERITIES)[number];

/** A thing that a monitor or a catalogue knows by name. */
export interface Resource {
  /** What it is in the system's own words: `host`, `service`, `pod`. */
  readonly kind: string;
  /** The name that identifies it in its system. */
  readonly name: string;
  /** What it lies behind or belongs to, nearest first: the names that the same system uses. */
  readonly parents?: readonly string[];
}
