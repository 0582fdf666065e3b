/** What is known of a database that a backup is to be put into, and of the backup. */
export interface RestoreFacts {
  /** Tables that the database holds. */
  readonly tables: readonly string[];
  /** Other sessions that work in it, by what they call themselves. */
  readonly sessions: readonly string[];
  /** The migrations of the backup, and those that this version knows. */
  readonly migrations: readonly { readonly version: number; readonly name: string; readonly checksum: string }[];
  readonly known: readonly { readonly version: number; readonly checksum: string }[];
  /** The order to throw away what is there. */
  readonly replace: boolean;
}

export type RestoreRefusal =
  | { readonly kind: "newer"; readonly migration: string }
  | { readonly kind: "other-schema"; readonly migration: string }
  | { readonly kind: "in-use"; readonly sessions: readonly string[] }
  | { readonly kind: "not-empty"; readonly tables: number };

/** The migrations to apply first, or every reason why not. */
export type RestoreVerdict =
  | { readonly kind: "restore"; readonly upTo: number; readonly replaces: boolean }
  | { readonly kind: "refuse"; readonly reasons: readonly RestoreRefusal[] };

/** Whether a backup may be put into a database. Nothing that is there is thrown away without the order to. */
export function decideRestore(facts: RestoreFacts): RestoreVerdict {
  const reasons: RestoreRefusal[] = [];
  const known = new Map(facts.known.map(({ version, checksum }) => [version, checksum]));
  const strange = facts.migrations.find(({ version, checksum }) => known.get(version) !== checksum);
  if (strange !== undefined) reasons.push({ kind: known.has(strange.version) ? "other-schema" : "newer", migration: strange.name });
  if (facts.sessions.length > 0) reasons.push({ kind: "in-use", sessions: facts.sessions });
  if (facts.tables.length > 0 && !facts.replace) reasons.push({ kind: "not-empty", tables: facts.tables.length });
  if (reasons.length > 0) return { kind: "refuse", reasons };
  return { kind: "restore", upTo: Math.max(0, ...facts.migrations.map(({ version }) => version)), replaces: facts.tables.length > 0 };
}
