import { DomainError } from "../domain-error.js";
import { Season, type SeasonState } from "./baseline-season.js";
import { baselineTail, type Tail, type TailBand, tailOf } from "./baseline-tail.js";
import { RecentValues } from "./baseline-values.js";

/**
 * The four ways in which a series is looked at: the value itself, the median of the last few (shifts), the usual change from point to point of the last
 * few (unrest, and silence), and what is left when the usual value of this hour of the week is taken away.
 */
export const baselineViews = ["value", "short-median", "activity", "residual"] as const;
export type BaselineView = (typeof baselineViews)[number];

/**
 * The settings, the same for every series. They were chosen on public series by cross-folds, see the decision "Baselines are a robust tail with memory".
 * Points are counted, not minutes: a series is regular, and how often it comes is known to whoever made it so.
 */
export const baselineSettings = {
  /** Nothing is said of the first points: they are only learned. */
  silentPoints: 200,
  /** A reading from here on is an anomaly. */
  threshold: 0.8,
  shortMedianPoints: 9,
  activityPoints: 12,
  /** After a score, what scores as much is expected; half of that is forgotten in so many points. */
  memoryHalfLifePoints: 200,
  /** So far an hour's median moves for one point, in robust deviations of the series. */
  seasonStep: 0.1,
} as const;

/** One point of a series. */
export interface BaselinePoint {
  /** Epoch ms. Decides the hour of the week, in UTC, unless that is given. */
  readonly at: number;
  readonly value: number;
  /** 0 (Monday 00:00) to 167 on the wall clock that the series lives by. */
  readonly hourOfWeek?: number | undefined;
  /** In maintenance of what the series is about: neither scored nor learned. */
  readonly inMaintenance?: boolean | undefined;
}

/** What a baseline says of a point. */
export type BaselineReading =
  | { readonly kind: "silent"; readonly why: "learning" | "maintenance" }
  | {
      readonly kind: "scored";
      /** 0: as usual. From `baselineSettings.threshold` on it is an anomaly; there is no upper limit, above 5 is rare. */
      readonly score: number;
      readonly isAnomaly: boolean;
      /** The view that is furthest out of its band, with what it saw. */
      readonly view: BaselineView;
      /** The value of that view. */
      readonly seen: number;
      /** Between these lie 99 of 100 of the points that are remembered, in that view. */
      readonly band: TailBand;
      readonly isNewExtreme: boolean;
      /** What is usual at this hour of the week. */
      readonly expected: number;
    };

/** Everything that a baseline knows, as plain numbers: give it back to go on as if nothing had happened. */
export interface BaselineState {
  readonly version: 1;
  readonly points: number;
  /** What is remembered of each view, oldest first, and its extremes since the beginning (null: no point yet). */
  readonly tails: readonly { readonly values: readonly number[]; readonly least: number | null; readonly greatest: number | null }[];
  readonly shortValues: readonly number[];
  readonly changes: readonly number[];
  readonly previous: number | null;
  readonly season: SeasonState;
  readonly memory: number;
}

const HOUR_MS = 3_600_000;
/** 1970-01-01 was a Thursday. */
const EPOCH_HOUR_OF_WEEK = 72;

/**
 * The baseline of one series, point by point. It learns the normal week as it goes, says how far a point is out of what it remembers, and in which view.
 * A score lasts: what was just said is not said again until it is forgotten by half, so one anomaly is one message and not a hundred.
 */
export class Baseline {
  readonly #tails: readonly Tail[];
  readonly #shortValues = new RecentValues(baselineSettings.shortMedianPoints);
  readonly #changes = new RecentValues(baselineSettings.activityPoints);
  readonly #season: Season;
  #points: number;
  #previous: number | null;
  #memory: number;

  constructor(state?: BaselineState) {
    this.#tails = baselineViews.map((_, view) => tailOf(state?.tails[view]));
    for (const value of state?.shortValues ?? []) this.#shortValues.add(value);
    for (const change of state?.changes ?? []) this.#changes.add(change);
    this.#season = new Season(state?.season);
    this.#points = state?.points ?? 0;
    this.#previous = state?.previous ?? null;
    this.#memory = state?.memory ?? 0;
  }

  /** Scores a point by what came before it, then learns it. Throws QSC_KPI_BASELINE_POINT for a value that is no finite number. */
  observe(point: BaselinePoint): BaselineReading {
    if (!Number.isFinite(point.value) || !Number.isFinite(point.at))
      throw new DomainError(
        "QSC_KPI_BASELINE_POINT",
        `A point of a baseline has a finite value and time, found ${point.value} at ${point.at}. Leave out points without a value.`,
        { field: "value" },
      );
    if (point.inMaintenance === true) return { kind: "silent", why: "maintenance" };
    const hourOfWeek = point.hourOfWeek ?? hourOfWeekUtc(point.at);
    const median = this.#valueTail().length === 0 ? point.value : this.#valueTail().quantile(0.5);
    const expected = this.#season.expected(hourOfWeek, median);
    const seen = this.#look(point.value, expected);
    const reading = this.#points < baselineSettings.silentPoints ? null : this.#score(seen, { median, expected });
    for (const [view, tail] of this.#tails.entries()) tail.learn(seen[view] ?? 0);
    this.#season.learn(hourOfWeek, point.value, baselineSettings.seasonStep * this.#deviation());
    this.#points += 1;
    return reading ?? { kind: "silent", why: "learning" };
  }

  /** Between which values the series usually lies at an instant, and what is expected; null while it only learns. */
  usual(point: Pick<BaselinePoint, "at" | "hourOfWeek">): (TailBand & { readonly expected: number }) | null {
    const residual = this.#tails[baselineViews.indexOf("residual")];
    if (this.#points < baselineSettings.silentPoints || residual === undefined) return null;
    const expected = this.#season.expected(point.hourOfWeek ?? hourOfWeekUtc(point.at), this.#valueTail().quantile(0.5));
    const { low, high } = residual.band();
    return { low: expected + low, high: expected + high, expected };
  }

  /** Everything that it knows, to be stored. About 75 to 115 KB as JSON for a long series. */
  state(): BaselineState {
    return {
      version: 1,
      points: this.#points,
      tails: this.#tails.map((tail) => tail.state()),
      shortValues: this.#shortValues.inOrder(),
      changes: this.#changes.inOrder(),
      previous: this.#previous,
      season: this.#season.state(),
      memory: this.#memory,
    };
  }

  /** What each view sees, in their order. */
  #look(value: number, expected: number): readonly number[] {
    this.#shortValues.add(value);
    if (this.#previous !== null) this.#changes.add(Math.abs(value - this.#previous));
    this.#previous = value;
    return [value, this.#shortValues.quantile(0.5), this.#changes.quantile(0.5), value - expected];
  }

  #score(seen: readonly number[], { median, expected }: { readonly median: number; readonly expected: number }): BaselineReading {
    let largest = 0;
    let strongest = -1;
    for (const [view, tail] of this.#tails.entries()) {
      const strength = tail.strength(seen[view] ?? 0, median);
      if (strength <= strongest) continue;
      strongest = strength;
      largest = view;
    }
    this.#memory *= 0.5 ** (1 / baselineSettings.memoryHalfLifePoints);
    const score = Math.max(0, strongest - this.#memory);
    this.#memory = Math.max(this.#memory, strongest);
    const value = seen[largest] ?? 0;
    const tail = this.#tails[largest] ?? this.#valueTail();
    return {
      kind: "scored",
      score,
      isAnomaly: score >= baselineSettings.threshold,
      view: baselineViews[largest] ?? "value",
      seen: value,
      band: tail.band(),
      isNewExtreme: tail.isNewExtreme(value),
      expected,
    };
  }

  #valueTail(): Tail {
    return this.#tails[0] ?? tailOf();
  }

  /** The robust standard deviation of the values: what lies between the quartiles, as if they were normal. */
  #deviation(): number {
    return (this.#valueTail().quantile(0.75) - this.#valueTail().quantile(0.25)) / baselineTail.normalQuartiles;
  }
}

function hourOfWeekUtc(at: number): number {
  const hours = Math.floor(at / HOUR_MS) + EPOCH_HOUR_OF_WEEK;
  return ((hours % 168) + 168) % 168;
}
