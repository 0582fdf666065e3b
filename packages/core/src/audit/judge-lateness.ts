/** A transaction cannot be open for so long: the database ends it. */
const lateAfterMs = 600_000;

/**
 * Whether an entry appeared with a time that was long past, as one does that somebody inserted by hand. Known only against the last moment at which
 * nothing was left to seal (`drainedAt`), and not when the database's clock went back since then.
 */
export function isLate(
  at: number,
  sealing: { readonly drainedAt: number | null; readonly now: number; readonly clockChanged: boolean },
): boolean {
  const { drainedAt, now, clockChanged } = sealing;
  return drainedAt !== null && !clockChanged && drainedAt <= now && at < drainedAt - lateAfterMs;
}
