import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { requireZone } from "../time/zone-data.js";
import { compileSeries } from "../windows/window-series.js";
import { occurrenceInstantsBetween } from "../windows/occurrences.js";
import { readMuteTiming } from "./mute-timing.js";
import { muteTimingSeries } from "./mute-timing-series.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
// The second year is a leap year; the zones' clock changes of both are the same in the zone data of Node and in ours.
const FROM = Date.UTC(2027, 0, 1);
const TO = Date.UTC(2029, 0, 1);
const MINUTES = (TO - FROM) / MINUTE_MS;
const ZONES = ["UTC", "Europe/Madrid", "America/Chicago", "Australia/Lord_Howe", "Asia/Kolkata"];

/** What the clock on the wall shows in each minute, by Intl: no code of ours has a part in it. */
interface WallClock {
  readonly minute: Int16Array;
  readonly weekday: Int8Array;
  readonly day: Int8Array;
  readonly month: Int8Array;
  readonly year: Int16Array;
  readonly daysInMonth: Int8Array;
  /** Minutes within the hours around a clock change. */
  readonly nearChange: Uint8Array;
}

function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const clock = {
    minute: new Int16Array(MINUTES),
    weekday: new Int8Array(MINUTES),
    day: new Int8Array(MINUTES),
    month: new Int8Array(MINUTES),
    year: new Int16Array(MINUTES),
    daysInMonth: new Int8Array(MINUTES),
    nearChange: new Uint8Array(MINUTES),
  };
  let offset = Number.NaN;
  for (let quarter = 0; quarter < MINUTES; quarter += 15) {
    const at = FROM + quarter * MINUTE_MS;
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const local = Date.UTC(part["year"] ?? 0, (part["month"] ?? 0) - 1, part["day"], part["hour"], part["minute"]);
    if (local - at !== offset && quarter > 0) clock.nearChange.fill(1, Math.max(0, quarter - 120), quarter + 120);
    offset = local - at;
    const date = new Date(local);
    const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    // Clocks change on a quarter of an hour, and a day begins on one.
    clock.weekday.fill(date.getUTCDay(), quarter, quarter + 15);
    clock.day.fill(date.getUTCDate(), quarter, quarter + 15);
    clock.month.fill(date.getUTCMonth() + 1, quarter, quarter + 15);
    clock.year.fill(date.getUTCFullYear(), quarter, quarter + 15);
    clock.daysInMonth.fill(daysInMonth, quarter, quarter + 15);
    const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
    for (let next = 0; next < 15; next++) clock.minute[quarter + next] = minute + next;
  }
  return clock;
}

const wallClocks = new Map(ZONES.map((zone) => [zone, wallClock(zone)]));

interface Written {
  readonly times?: readonly { readonly start_time: string; readonly end_time: string }[];
  readonly weekdays?: readonly string[];
  readonly days_of_month?: readonly string[];
  readonly months?: readonly string[];
  readonly years?: readonly string[];
  readonly location?: string;
}

const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** The documented rules, minute by minute: every field given must have a range that the minute is in. */
function muted(written: Written, clock: WallClock): Uint8Array {
  const ends = (text: string): readonly [number, number] => {
    const [begin, end = begin] = text.split(":").map((word) => (DAYS.includes(word) ? DAYS.indexOf(word) : Number(word)));
    return [begin ?? 0, end ?? 0];
  };
  const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const times = (written.times ?? [{ start_time: "00:00", end_time: "24:00" }]).map((time) => [
    minuteOf(time.start_time),
    minuteOf(time.end_time),
  ]);
  const weekdays = written.weekdays?.map(ends);
  const months = written.months?.map(ends);
  const years = written.years?.map(ends);
  const days = written.days_of_month?.map(ends);
  const within = (ranges: readonly (readonly [number, number])[] | undefined, value: number) =>
    ranges === undefined || ranges.some(([begin, end]) => value >= begin && value <= end);
  const marks = new Uint8Array(MINUTES);
  let day = -1;
  let fits = false;
  for (let index = 0; index < MINUTES; index++) {
    const dayNow = clock.day[index] ?? 0;
    if (dayNow !== day) {
      day = dayNow;
      const length = clock.daysInMonth[index] ?? 0;
      const place = (value: number) => (value < 0 ? length + value + 1 : value);
      fits =
        within(weekdays, clock.weekday[index] ?? 0) &&
        within(months, clock.month[index] ?? 0) &&
        within(years, clock.year[index] ?? 0) &&
        (days === undefined || days.some(([begin, end]) => day >= place(begin) && day <= place(end)));
    }
    if (!fits) continue;
    const minute = clock.minute[index] ?? 0;
    if (times.some(([begin = 0, end = 0]) => minute >= begin && minute < end)) marks[index] = 1;
  }
  return marks;
}

/** The minutes that the windows made of it hold. */
function held(written: Written): Uint8Array {
  const read = readMuteTiming(written);
  if (!read.ok) throw new Error(read.problem);
  const zone = requireZone(packagedZoneData(), read.timing.timeZone);
  const marks = new Uint8Array(MINUTES);
  for (const series of muteTimingSeries(read.timing, { now: FROM, zone }).series) {
    for (const { start, end } of occurrenceInstantsBetween(compileSeries(series), { from: FROM - 40 * DAY_MS, to: TO }))
      marks.fill(1, Math.max(0, (start - FROM) / MINUTE_MS), Math.max(0, Math.min(MINUTES, (end - FROM) / MINUTE_MS)));
  }
  return marks;
}

/** Minutes that are muted and not held, and held and not muted, far from a clock change and near one. */
function compare(written: Written) {
  const clock = wallClocks.get(written.location ?? "UTC");
  if (clock === undefined) throw new Error("no such clock");
  const theirs = muted(written, clock);
  const ours = held(written);
  const counts = { let: 0, tooMuch: 0, tooMuchNearChange: 0, muted: 0 };
  for (let index = 0; index < MINUTES; index++) {
    if (theirs[index] === 1) counts.muted++;
    if (theirs[index] === ours[index]) continue;
    if (theirs[index] === 1) counts.let++;
    else if (clock.nearChange[index] === 1) counts.tooMuchNearChange++;
    else counts.tooMuch++;
  }
  return counts;
}

const time = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const rangeText = (least: number, most: number, text: (value: number) => string = String) =>
  fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most })).map(([a, b]) => {
    const [begin, end] = [Math.min(a, b), Math.max(a, b)];
    return begin === end ? text(begin) : `${text(begin)}:${text(end)}`;
  });
const dayRange = fc
  .oneof(
    rangeText(1, 31),
    rangeText(-31, -1),
    fc.tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: -28, max: -1 })).map(([begin, end]) => `${begin}:${end}`),
  )
  .filter((text) => readMuteTiming({ days_of_month: [text] }).ok);
const some = <T>(item: fc.Arbitrary<T>) => fc.option(fc.array(item, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 });

const anyTiming: fc.Arbitrary<Written> = fc
  .record({
    times: some(
      fc
        .uniqueArray(fc.oneof(fc.integer({ min: 0, max: 1_440 }), fc.constantFrom(0, 60, 120, 150, 180, 1_440)), {
          minLength: 2,
          maxLength: 2,
        })
        .map((pair) => pair.toSorted((a, b) => a - b))
        .map(([from = 0, to = 0]) => ({ start_time: time(from), end_time: time(to) })),
    ),
    weekdays: some(rangeText(0, 6, (value) => DAYS[value] ?? "")),
    days_of_month: some(dayRange),
    months: some(rangeText(1, 12)),
    years: some(rangeText(2026, 2029)),
    location: fc.constantFrom(...ZONES),
  })
  .map((timing): Written => JSON.parse(JSON.stringify(timing)));

describe("a mute timing as windows", () => {
  it("holds every minute that it mutes, and no other one unless the clocks change within two hours, over two years in any zone", () => {
    fc.assert(
      fc.property(anyTiming, (written) => {
        expect(compare(written)).toMatchObject({ let: 0, tooMuch: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it.each<[string, Written, number]>([
    ["a weekend is one occurrence", { weekdays: ["saturday", "sunday"] }, 1],
    [
      "a night that had to be written in two halves is one again",
      {
        times: [
          { start_time: "22:00", end_time: "24:00" },
          { start_time: "00:00", end_time: "06:00" },
        ],
      },
      1,
    ],
    ["the last week of the month is one occurrence", { days_of_month: ["-7:-1"], location: "Europe/Madrid" }, 1],
    ["from the fifth to the third day from the end", { days_of_month: ["5:-3"], location: "America/Chicago" }, 3],
    ["the shortest range that reaches to the end of February", { days_of_month: ["26:-2"] }, 3],
    ["to the end of every month", { days_of_month: ["20:-1"], months: ["2", "4"] }, 1],
    ["Friday the 13th", { days_of_month: ["13"], weekdays: ["friday"], times: [{ start_time: "02:00", end_time: "04:00" }] }, 1],
    ["a leap day", { days_of_month: ["29"], months: ["2"] }, 1],
    ["weekends of one year, cut by its ends", { weekdays: ["sunday", "friday:saturday"], years: ["2028"] }, 1],
    ["two years apart", { years: ["2027", "2029"], weekdays: ["monday"] }, 2],
  ])("%s", (_name, written, count) => {
    const read = readMuteTiming(written);
    const zone = requireZone(packagedZoneData(), written.location ?? "UTC");
    expect(read.ok && muteTimingSeries(read.timing, { now: FROM, zone }).series).toHaveLength(count);
    expect(compare(written)).toMatchObject({ let: 0, tooMuch: 0, tooMuchNearChange: 0 });
  });

  it("holds on through an hour that is told twice, and through one that is jumped over", () => {
    const twice = compare({ times: [{ start_time: "02:00", end_time: "02:30" }], location: "Europe/Madrid" });
    // 31 October 2027 and 29 October 2028: half an hour between the two halves. 28 March and 26 March: the half hour that no clock shows.
    expect(twice).toMatchObject({ let: 0, tooMuch: 0, tooMuchNearChange: 4 * 30 });
    expect(compare({ times: [{ start_time: "02:00", end_time: "03:00" }], location: "Europe/Madrid" })).toMatchObject({
      tooMuchNearChange: 2 * 60,
    });
    expect(compare({ times: [{ start_time: "04:00", end_time: "06:00" }], location: "Europe/Madrid" })).toMatchObject({
      tooMuchNearChange: 0,
    });
  });

  it.each([
    [{ weekdays: ["saturday:sunday"] }, "ends before it begins"],
    [{ weekdays: ["funday"] }, 'found "funday"'],
    [{ times: [{ start_time: "22:00", end_time: "06:00" }] }, "crosses midnight is two"],
    [{ times: [{ start_time: "22:00", end_time: "24:30" }] }, "found 22:00 to 24:30"],
    [{ days_of_month: ["0"] }, "a day is 1 to 31"],
    [{ days_of_month: ["-3:2"] }, "ends there too"],
    [{ days_of_month: ["27:-2"] }, "ends before it begins"],
    [{ months: ["13"] }, "no such month"],
    [{ years: ["2028:2027"] }, "ends before it begins"],
    [{ months: ["1:2:3"] }, "neither one nor a range"],
    [{ location: "Local" }, "whichever machine"],
    [{ holidays: ["spain"] }, "holidays"],
    ["always", "expected object"],
  ])("refuses %j by name", (written, problem) => {
    const read = readMuteTiming(written);
    expect(read).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });
});
