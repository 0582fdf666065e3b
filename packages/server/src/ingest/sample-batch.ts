import { histogramSlot, type Sample, type SampleMark } from "@quiesce/core";

/** Samples on their way into the database, column by column. */
export interface SampleBatch {
  readonly size: number;
  /** The first day of its samples and the last, as instants of UTC midnights; in a batch without samples Infinity and -Infinity. */
  readonly firstDay: number;
  readonly lastDay: number;
  readonly marked: number;
  add(sample: Sample, place: { readonly seriesId: number; readonly mark: SampleMark }): void;
  /** The columns, each an array literal. */
  columns(): SampleColumns;
  /** Which stretches of which series it touches, at most one an hour, as array literals: the first instant of each and the last. */
  stretches(): { readonly series: string; readonly firsts: string; readonly lasts: string };
}

export interface SampleColumns {
  readonly series: string;
  readonly slots: string;
  /** null: all of them are 0. */
  readonly marks: string | null;
  readonly ats: string;
  readonly values: string;
  /** null: all of them are true. */
  readonly oks: string | null;
  /** null: all of them are empty. */
  readonly keys: string | null;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Array literals take these as they are. */
const PLAIN = /^[\w:./-]+$/;
/** PostgreSQL reads this word as NULL. */
const NULL_WORD = /^null$/i;

export function createSampleBatch(): SampleBatch {
  const series: number[] = [];
  const slots: number[] = [];
  const marks: number[] = [];
  const ats: number[] = [];
  const values: number[] = [];
  const oks: boolean[] = [];
  const keys: string[] = [];
  const touched = new Map<number, Map<number, Stretch>>();
  let [firstDay, lastDay, marked] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  const literal = (list: readonly (string | number)[]): string => `{${list.join(",")}}`;
  return {
    get size() {
      return series.length;
    },
    get firstDay() {
      return firstDay;
    },
    get lastDay() {
      return lastDay;
    },
    get marked() {
      return marked;
    },
    add({ at, value, ok, key }, { seriesId, mark }) {
      series.push(seriesId);
      slots.push(histogramSlot(value));
      marks.push(mark);
      ats.push(at);
      values.push(value);
      oks.push(ok);
      keys.push(key);
      const day = Math.floor(at / DAY_MS) * DAY_MS;
      firstDay = Math.min(firstDay, day);
      lastDay = Math.max(lastDay, day);
      if (mark !== 0) marked += 1;
      let hours = touched.get(seriesId);
      if (hours === undefined) touched.set(seriesId, (hours = new Map()));
      const hour = Math.floor(at / HOUR_MS);
      const stretch = hours.get(hour);
      if (stretch === undefined) hours.set(hour, { first: at, last: at });
      else if (at < stretch.first) stretch.first = at;
      else if (at > stretch.last) stretch.last = at;
    },
    columns: () => ({
      series: literal(series),
      slots: literal(slots),
      marks: marked === 0 ? null : literal(marks),
      ats: literal(ats),
      values: literal(values),
      oks: oks.every((ok) => ok) ? null : literal(oks.map((ok) => (ok ? "t" : "f"))),
      keys: keys.every((key) => key === "") ? null : literal(keys.map(quotedKey)),
    }),
    stretches: () => {
      const all = [...touched].flatMap(([id, hours]) => [...hours.values()].map((stretch) => ({ id, ...stretch })));
      return {
        series: literal(all.map(({ id }) => id)),
        firsts: literal(all.map(({ first }) => first)),
        lasts: literal(all.map(({ last }) => last)),
      };
    },
  };
}

interface Stretch {
  first: number;
  last: number;
}

function quotedKey(key: string): string {
  if (key === "") return '""';
  return PLAIN.test(key) && !NULL_WORD.test(key) ? key : `"${key.replaceAll(/["\\]/g, "\\$&")}"`;
}
