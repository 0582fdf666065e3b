/** An arrow between two systems, by their keys: `from` needs `to`. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly isSoft: boolean;
}

/** What can be laid out while somebody waits: 300 systems with 600 arrows took dagre 1.1 s. */
export const MAX_DRAWN = 300;

/** The keys that are drawn: all of them, or those nearest to one, in steps along the arrows either way, until there are `most`. */
export function neighbourhood(
  keys: readonly string[],
  arrows: readonly Arrow[],
  { around, most = MAX_DRAWN }: { readonly around: string | null; readonly most?: number },
): ReadonlySet<string> {
  if (keys.length <= most) return new Set(keys);
  const known = new Set(keys);
  const start = around !== null && known.has(around) ? around : keys[0];
  const near = new Map<string, string[]>();
  for (const { from, to } of arrows) {
    near.set(from, [...(near.get(from) ?? []), to]);
    near.set(to, [...(near.get(to) ?? []), from]);
  }
  const drawn = new Set<string>(start === undefined ? [] : [start]);
  for (const key of drawn)
    for (const next of near.get(key) ?? []) {
      if (drawn.size >= most) return drawn;
      if (known.has(next)) drawn.add(next);
    }
  return drawn;
}
