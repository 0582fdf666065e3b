/** Names longer than this are compared by their beginning. */
const COMPARED_LENGTH = 64;
/** So many candidates are compared at most; a suggestion is a courtesy, not worth seconds. */
const MAX_CANDIDATES = 20_000;

/** The candidate that was probably meant: the one with the fewest typing errors, if it has few enough; undefined otherwise. */
export function nearestName(found: string, candidates: Iterable<string>): string | undefined {
  const wanted = found.toLowerCase().slice(0, COMPARED_LENGTH);
  const tolerated = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = tolerated + 1;
  let count = 0;
  for (const candidate of candidates) {
    count += 1;
    if (count > MAX_CANDIDATES) break;
    const other = candidate.toLowerCase().slice(0, COMPARED_LENGTH);
    if (Math.abs(other.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, other);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, in which two neighbours changing places count as one error. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
