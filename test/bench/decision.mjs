import { HoldIndex, occurrences, packagedZoneData } from "../../packages/core/dist/index.js";

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Nanoseconds of one call, as the median of rounds; `sink` keeps the work from being optimised away. */
function nanoseconds(work, calls, rounds = 9) {
  let sink = 0;
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i += 1) sink += work(i);
    times.push(Number(process.hrtime.bigint() - start) / calls);
  }
  return { ns: median(times), sink };
}

const DAY = 86_400_000;

/** Milliseconds of CPU of this process since `before`: unlike the clock they do not grow with what else the machine does. */
const cpuMs = (before) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

/** `count` integrations, each covered by two of a hundred shared daily windows, ten to an integration's own. */
function world(count) {
  const from = Date.parse("2026-03-01T00:00:00Z");
  const horizon = from + 100 * DAY;
  const windows = Array.from({ length: 100 }, (_, id) => {
    const starts = Float64Array.from({ length: 100 }, (_unused, day) => from + day * DAY + (id % 24) * 3_600_000);
    return { id, starts, ends: starts.map((start) => start + 3_600_000) };
  });
  const integrations = Array.from({ length: count }, (_, n) => ({ key: `integration-${n}`, windowIds: [n % 100, (n * 7 + 13) % 100] }));
  return { from, horizon, windows, integrations };
}

/** The decision beside a Map lookup and a compare on the same keys, in one run. */
export function decisionRatio(count = 10_000) {
  const { from, horizon, windows, integrations } = world(count);
  const index = HoldIndex.compile({ integrations, windows, horizon });
  const map = new Map(integrations.map((one, n) => [one.key, from + (n % 2) * DAY]));
  const keys = integrations.map((one) => one.key);
  const now = from + 10 * DAY + 1_800_000;
  const numbers = keys.map((key) => index.numberOf(key));
  const calls = 2_000_000;
  const mapLookup = nanoseconds((i) => (map.get(keys[i % count]) < now ? 1 : 0), calls);
  const byKey = nanoseconds((i) => (index.isHeld(index.numberOf(keys[i % count]), now) ? 1 : 0), calls);
  const byNumber = nanoseconds((i) => (index.isHeld(numbers[i % count], now) ? 1 : 0), calls);
  return { mapNs: mapLookup.ns, keyNs: byKey.ns, numberNs: byNumber.ns, ratio: byKey.ns / mapLookup.ns };
}

/** One window of `affected` integrations changes among 10,000: the new index is ready in. */
export function changeOneWindow(affected = 100) {
  const { horizon, windows, integrations, from } = world(10_000);
  const index = HoldIndex.compile({ integrations, windows, horizon });
  const covered = Array.from({ length: affected }, (_, n) => n * 3);
  const starts = Float64Array.from({ length: 100 }, (_, day) => from + day * DAY + 5_000_000);
  const changed = { id: 5_000, starts, ends: starts.map((start) => start + 1_000_000) };
  const rounds = 101;
  for (let round = 0; round < 20; round += 1) index.withWindow(changed, covered);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) index.withWindow(changed, covered);
  return { ms: cpuMs(before) / rounds, limitMs: 2 + 0.01 * affected, affected };
}

/** 90 days of 10,000 windows of mixed rules. */
export function expandMany(count = 10_000) {
  const rules = [
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=SA,SU",
    "FREQ=MONTHLY;BYDAY=1SU",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
  ];
  const starts = ["2026-01-01T02:00", "2026-01-03T02:00", "2026-01-04T02:00", "2026-01-31T02:00", "2026-01-05T02:00"];
  const ends = ["2026-01-01T06:00", "2026-01-03T06:00", "2026-01-04T06:00", "2026-01-31T06:00", "2026-01-05T06:00"];
  const zones = ["Europe/Madrid", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"];
  const data = packagedZoneData();
  const from = Date.parse("2026-03-01T00:00:00Z");
  const before = process.cpuUsage();
  let found = 0;
  for (let n = 0; n < count; n += 1) {
    const series = { start: starts[n % 5], end: ends[n % 5], timeZone: zones[(n >> 3) % 5], rrule: rules[n % 5] };
    found += occurrences(series, { from, to: from + 90 * DAY }, data).length;
  }
  return { seconds: cpuMs(before) / 1_000, found, count };
}

/** Heap of an index of 100,000 integrations, in MiB. */
export function indexMemory(count = 100_000) {
  const { horizon, windows, integrations } = world(count);
  globalThis.gc?.();
  const before = process.memoryUsage();
  const index = HoldIndex.compile({ integrations, windows, horizon });
  globalThis.gc?.();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  return { mib: bytes / 1_048_576, kept: index.numberOf("integration-1") };
}
