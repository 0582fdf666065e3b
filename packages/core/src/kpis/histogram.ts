/**
 * A sketch of many values from which percentiles are read: how many values lie in each of a fixed series of buckets whose bounds grow by the
 * factor 2^(1/32), as OpenTelemetry's base-2 exponential histogram of scale 5 has them. To merge is to add, so the result is the same in any order and
 * in any grouping, to the byte. Values are in the unit of their metric, from 0 to `largestValue`.
 */
export interface Histogram {
  /** How many values lie in each slot: slot 0 is what counts as zero, slot s > 0 is the bucket of index `s - 1 + firstIndex`. */
  readonly counts: Float64Array;
}

/** Buckets in which the values double. */
const bucketsPerOctave = 32;
/** What is smaller counts as zero. */
export const smallestValue = 1e-6;
/** The largest value that a sample may have. */
export const largestValue = 1e12;

const indexOf = (value: number): number => Math.ceil(Math.log2(value) * bucketsPerOctave) - 1;
const firstIndex = indexOf(smallestValue);

/** How many slots a histogram has at most. */
export const histogramSlots = indexOf(largestValue) - firstIndex + 2;

/** The slot of a value. Throws RangeError for what is no number from 0 to `largestValue`. */
export function histogramSlot(value: number): number {
  if (!(value >= 0 && value <= largestValue)) throw new RangeError(`A value is from 0 to ${largestValue}, found ${value}.`);
  return value < smallestValue ? 0 : indexOf(value) - firstIndex + 1;
}

/** The values of a slot: above `low`, up to and with `high`. */
export function slotBounds(slot: number): { readonly low: number; readonly high: number } {
  if (slot === 0) return { low: 0, high: smallestValue };
  const index = slot - 1 + firstIndex;
  return { low: 2 ** (index / bucketsPerOctave), high: 2 ** ((index + 1) / bucketsPerOctave) };
}

export function emptyHistogram(): Histogram {
  return { counts: new Float64Array(histogramSlots) };
}

export function histogramOf(values: Iterable<number>): Histogram {
  const { counts } = emptyHistogram();
  for (const value of values) {
    const slot = histogramSlot(value);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return { counts };
}

/** The histogram of all values of several. */
export function mergeHistograms(histograms: Iterable<Histogram>): Histogram {
  const { counts } = emptyHistogram();
  for (const one of histograms)
    for (let slot = 0; slot < histogramSlots; slot++) counts[slot] = (counts[slot] ?? 0) + (one.counts[slot] ?? 0);
  return { counts };
}

/**
 * The slots that hold something, in their order, as pairs of unsigned varints (LEB128): the distance from the slot before, and the count. An empty
 * histogram has no bytes. Equal histograms have equal bytes.
 */
export function encodeHistogram({ counts }: Histogram): Uint8Array {
  const slots: number[] = [];
  for (let slot = 0; slot < histogramSlots; slot++) if ((counts[slot] ?? 0) > 0) slots.push(slot);
  return encodeSlots(
    slots,
    slots.map((slot) => counts[slot] ?? 0),
  );
}

/** The same from the slots that hold something, ascending, and their counts. */
export function encodeSlots(slots: readonly number[], counts: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let before = 0;
  for (const [n, slot] of slots.entries()) {
    writeVarint(bytes, slot - before);
    writeVarint(bytes, counts[n] ?? 0);
    before = slot;
  }
  return Uint8Array.from(bytes);
}

/** Adds an encoded histogram to `into`, which is what a report does thousands of times. Throws RangeError for bytes that are no histogram. */
export function addEncoded(into: Histogram, bytes: Uint8Array): void {
  const { counts } = into;
  let at = 0;
  let slot = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 49) throw new RangeError("These bytes are no histogram.");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    slot += next();
    const count = next();
    if (slot >= histogramSlots) throw new RangeError("These bytes are no histogram.");
    counts[slot] = (counts[slot] ?? 0) + count;
  }
}

export function decodeHistogram(bytes: Uint8Array): Histogram {
  const histogram = emptyHistogram();
  addEncoded(histogram, bytes);
  return histogram;
}

/** How many values it stands for. */
export function histogramTotal({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * The value at a quantile of (0, 1] by nearest rank: at least that share of the values is not larger. It is at most 1.083 % from the exact one, where
 * that is not below `smallestValue`. null without values; `range` (smallest and largest value seen) makes the ends exact.
 */
export function quantileOf(histogram: Histogram, quantile: number, range?: { readonly min: number; readonly max: number }): number | null {
  const total = histogramTotal(histogram);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(quantile * total));
  let seen = 0;
  for (let slot = 0; slot < histogramSlots; slot++) {
    seen += histogram.counts[slot] ?? 0;
    if (seen < rank) continue;
    const estimate = middleOf(slot);
    return range === undefined ? estimate : Math.min(range.max, Math.max(range.min, estimate));
  }
  return null;
}

/** Equally far, in proportion, from both bounds of a slot. */
function middleOf(slot: number): number {
  if (slot === 0) return 0;
  const { low, high } = slotBounds(slot);
  return (2 * low * high) / (low + high);
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
