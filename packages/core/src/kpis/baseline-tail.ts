import { RecentValues } from "./baseline-values.js";

/** How far out is far. The same for every series and every view. */
export const baselineTail = {
  /** So many values are remembered of each view. */
  values: 2_000,
  /** The band lies between this quantile and its counterpart. */
  bandQuantile: 0.005,
  /** The unit of each side is a mean of the distance from the median to the band's edge and of the robust deviation, by this share. */
  edgeShare: 0.15,
  /** No unit is less than this share of the series' median: what hardly moves at all is not a surprise as soon as it moves a little. */
  leastUnitOfMedian: 0.02,
  /** Further out than this many units makes no difference. */
  mostUnits: 30,
  /** What an extreme that was never there before adds, for one unit beyond the last one. */
  newExtreme: 3,
  /** The distance of the quartiles of a normal distribution, in standard deviations. */
  normalQuartiles: 1.349,
} as const;

const LEAST_UNIT = 1e-9;

/** Between these values a view usually lies. */
export interface TailBand {
  readonly low: number;
  readonly high: number;
}

/** What a tail knows, as plain numbers. */
export interface TailState {
  readonly values: readonly number[];
  readonly least: number | null;
  readonly greatest: number | null;
}

/** What is remembered of one view, and how far out of it a value lies. */
export class Tail {
  readonly #values = new RecentValues(baselineTail.values);
  #least = Infinity;
  #greatest = -Infinity;

  constructor(state?: TailState) {
    for (const value of state?.values ?? []) this.#values.add(value);
    this.#least = state?.least ?? Infinity;
    this.#greatest = state?.greatest ?? -Infinity;
  }

  get length(): number {
    return this.#values.length;
  }

  quantile(p: number): number {
    return this.#values.quantile(p);
  }

  band(): TailBand {
    return { low: this.quantile(baselineTail.bandQuantile), high: this.quantile(1 - baselineTail.bandQuantile) };
  }

  /** True for a value beyond everything that was ever learned, also what is forgotten since. */
  isNewExtreme(value: number): boolean {
    return value > this.#greatest || value < this.#least;
  }

  /** 0 inside the band, else the logarithm of how many units it is outside, with the bonus of a new extreme. `scale` is the median of the series. */
  strength(value: number, scale: number): number {
    const { low, high } = this.band();
    const isAbove = value > high;
    if (!isAbove && value >= low) return 0;
    const median = this.quantile(0.5);
    const deviation = (this.quantile(0.75) - this.quantile(0.25)) / baselineTail.normalQuartiles;
    const edge = isAbove ? high - median : median - low;
    const unit = Math.max(
      baselineTail.edgeShare * edge + (1 - baselineTail.edgeShare) * deviation,
      baselineTail.leastUnitOfMedian * Math.abs(scale),
      LEAST_UNIT,
    );
    const outside = (isAbove ? value - high : low - value) / unit;
    const beyond = (isAbove ? value - this.#greatest : this.#least - value) / unit;
    return Math.log1p(Math.min(outside, baselineTail.mostUnits)) + baselineTail.newExtreme * Math.min(1, Math.max(0, beyond));
  }

  learn(value: number): void {
    this.#values.add(value);
    this.#least = Math.min(this.#least, value);
    this.#greatest = Math.max(this.#greatest, value);
  }

  state(): TailState {
    const isEmpty = this.#values.length === 0;
    return { values: this.#values.inOrder(), least: isEmpty ? null : this.#least, greatest: isEmpty ? null : this.#greatest };
  }
}

/** A tail that goes on from its state, or an empty one. */
export function tailOf(state?: TailState): Tail {
  return new Tail(state);
}
