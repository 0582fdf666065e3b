const HOURS_OF_WEEK = 168;
const HOURS_OF_DAY = 24;
/** So many points of an hour weigh as much as what it is shrunk to: the hour of the week to that of the day, that to the median of all. */
const WEEK_PRIOR_POINTS = 12;
const DAY_PRIOR_POINTS = 12;

/** The numbers of a season: a running median and a count for each hour of the week and of the day. */
export interface SeasonState {
  readonly weekMedians: readonly number[];
  readonly weekCounts: readonly number[];
  readonly dayMedians: readonly number[];
  readonly dayCounts: readonly number[];
}

/** What is usual at an hour of the week. With few points of that hour it says what is usual at this time of day, with few of those what is usual at all. */
export class Season {
  readonly #weekMedians: Float64Array;
  readonly #weekCounts: Float64Array;
  readonly #dayMedians: Float64Array;
  readonly #dayCounts: Float64Array;

  constructor(state?: SeasonState) {
    this.#weekMedians = Float64Array.from(state?.weekMedians ?? new Float64Array(HOURS_OF_WEEK));
    this.#weekCounts = Float64Array.from(state?.weekCounts ?? new Float64Array(HOURS_OF_WEEK));
    this.#dayMedians = Float64Array.from(state?.dayMedians ?? new Float64Array(HOURS_OF_DAY));
    this.#dayCounts = Float64Array.from(state?.dayCounts ?? new Float64Array(HOURS_OF_DAY));
  }

  /** What is expected at an hour of the week, 0 (Monday 00:00) to 167, given the median of all values. */
  expected(hourOfWeek: number, median: number): number {
    const hourOfDay = hourOfWeek % HOURS_OF_DAY;
    const dayCount = this.#dayCounts[hourOfDay] ?? 0;
    const day = (dayCount * (this.#dayMedians[hourOfDay] ?? 0) + DAY_PRIOR_POINTS * median) / (dayCount + DAY_PRIOR_POINTS);
    const weekCount = this.#weekCounts[hourOfWeek] ?? 0;
    return (weekCount * (this.#weekMedians[hourOfWeek] ?? 0) + WEEK_PRIOR_POINTS * day) / (weekCount + WEEK_PRIOR_POINTS);
  }

  /** Moves the medians of an hour towards a value by at most `step`, so that one extreme counts as much as any other value. */
  learn(hourOfWeek: number, value: number, step: number): void {
    moveTowards({ medians: this.#weekMedians, counts: this.#weekCounts, place: hourOfWeek, value, step });
    moveTowards({ medians: this.#dayMedians, counts: this.#dayCounts, place: hourOfWeek % HOURS_OF_DAY, value, step });
  }

  state(): SeasonState {
    return {
      weekMedians: [...this.#weekMedians],
      weekCounts: [...this.#weekCounts],
      dayMedians: [...this.#dayMedians],
      dayCounts: [...this.#dayCounts],
    };
  }
}

function moveTowards(one: {
  readonly medians: Float64Array;
  readonly counts: Float64Array;
  readonly place: number;
  readonly value: number;
  readonly step: number;
}): void {
  const { medians, counts, place, value, step } = one;
  const count = counts[place] ?? 0;
  const median = medians[place] ?? 0;
  medians[place] = count === 0 ? value : median + Math.max(-step, Math.min(step, value - median));
  counts[place] = count + 1;
}
