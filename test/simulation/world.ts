import type { CatchUp, JobSchedule, WindowScope, WindowSeries, ZoneData } from "@quiesce/core";
import type { Random } from "./random.js";

/** The catalogue as the story knows it; the tables are compared with it and never asked for it. */
export interface SystemModel {
  readonly key: string;
  dependsOn: readonly { readonly system: string; readonly strength: "hard" | "soft" }[];
  readonly maxConcurrentRuns: number | null;
  readonly resumeSpacingMs: number;
}

export interface IntegrationModel {
  readonly key: string;
  readonly target: string;
  via: readonly string[];
  tags: readonly string[];
  readonly idempotent: boolean;
}

export interface JobModel {
  readonly key: string;
  readonly integration: string;
  readonly catchUp: CatchUp;
  readonly catchUpMaxAgeSeconds: number | null;
  readonly maxAttempts: number;
  /** Every schedule that it ever had, the last one open. */
  readonly history: {
    readonly schedule: JobSchedule | null;
    readonly from: number;
    to: number | null;
    /** The zone data that it is due by; null for the first ones. */
    readonly zones: ZoneData | null;
  }[];
}

export interface World {
  readonly startsAt: number;
  readonly systems: Map<string, SystemModel>;
  readonly integrations: Map<string, IntegrationModel>;
  readonly jobs: Map<string, JobModel>;
}

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Nights on which clocks change lie inside the first days of each: Europe, the United States, Lord Howe and Chile, both ways. */
const starts = [
  "2026-03-27T15:00:00Z",
  "2026-10-23T09:30:00Z",
  "2026-03-06T20:00:00Z",
  "2026-10-30T18:00:00Z",
  "2026-04-03T00:00:00Z",
  "2026-10-02T12:00:00Z",
];
export const zones = ["UTC", "Europe/Madrid", "America/Chicago", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"];
const tags = ["pii", "nightly", "finance", "eu"];

const crowdedSystem = "s3";

export function makeWorld(random: Random): World {
  const startsAt = Date.parse(random.pick(starts)) + random.int(0, 6) * hour;
  const systems = new Map<string, SystemModel>();
  for (let index = 0; index < 7; index += 1) {
    const key = `s${index}`;
    const others = [...systems.keys()];
    const dependsOn = others
      .filter(() => random.chance(0.3))
      .map((system) => ({ system, strength: random.chance(0.7) ? ("hard" as const) : ("soft" as const) }));
    systems.set(key, {
      key,
      dependsOn,
      maxConcurrentRuns: index < 2 ? random.int(1, 3) : null,
      resumeSpacingMs: random.pick([0, 200, 5_000]),
    });
  }
  const systemKeys = [...systems.keys()];
  const integrations = new Map<string, IntegrationModel>();
  for (let index = 0; index < 10; index += 1) {
    // Many write to one: the more wait for it, the more its first runs matter.
    const target = random.chance(0.4) ? crowdedSystem : random.pick(systemKeys);
    integrations.set(`i${index}`, {
      key: `i${index}`,
      target,
      via: random.shuffled(systemKeys.filter((key) => key !== target)).slice(0, random.int(0, 2)),
      tags: tags.filter(() => random.chance(0.3)),
      idempotent: random.chance(0.8),
    });
  }
  const jobs = new Map<string, JobModel>();
  for (let index = 0; index < 21; index += 1) {
    const catchUp = (["coalesce", "skip", "all"] as const)[index % 3] ?? "coalesce";
    jobs.set(`j${index}`, {
      key: `j${index}`,
      integration: index < integrations.size ? `i${index}` : random.pick([...integrations.keys()]),
      catchUp,
      catchUpMaxAgeSeconds: random.chance(0.2) ? random.int(1, 48) * 3_600 : null,
      maxAttempts: random.int(1, 4),
      history: [{ schedule: makeSchedule(random, startsAt, catchUp), from: startsAt, to: null, zones: null }],
    });
  }
  return { startsAt, systems, integrations, jobs };
}

/** `all` keeps every due time, so these jobs are due a few times a day; the others as often as every ten minutes. */
export function makeSchedule(random: Random, now: number, catchUp: CatchUp): JobSchedule {
  const timeZone = random.pick(zones);
  const minuteOfHour = random.int(0, 59);
  switch (random.weighted({ fixed: 3, everyHour: catchUp === "all" ? 0 : 3, interval: 3, rrule: 3 })) {
    case "fixed":
      return {
        kind: "cron",
        expression: `${minuteOfHour} ${random.pick(["2", "1,2,3", "0,6,12,18", "2,14"])} * * ${random.pick(["*", "*", "0,6,1"])}`,
        timeZone,
      };
    case "everyHour":
      return {
        kind: "cron",
        expression: `${random.pick([`${minuteOfHour}`, "0,30"])} ${random.pick(["*", "*/4", "1-3,*/12"])} * * *`,
        timeZone,
      };
    case "interval":
      return {
        kind: "interval",
        everySeconds: catchUp === "all" ? random.pick([21_600, 30_000, 43_200]) : random.pick([1_800, 3_601, 7_200, 10_000]),
        startsAt: Math.floor(now / 1_000) * 1_000 - random.int(0, 3_600) * 1_000,
      };
    case "rrule": {
      const start = `${new Date(now - 3 * day).toISOString().slice(0, 10)}T02:${String(minuteOfHour).padStart(2, "0")}`;
      const rrule = random.pick(["FREQ=DAILY", "FREQ=DAILY;BYHOUR=2,8,20", "FREQ=HOURLY;INTERVAL=6", "FREQ=DAILY;INTERVAL=2"]);
      return { kind: "rrule", start, rrule, timeZone };
    }
  }
}

/** A window's series whose occurrences lie in the days to come. */
export function makeSeries(random: Random, now: number): WindowSeries {
  const timeZone = random.pick(zones);
  // Local times near the clock changes, on days from yesterday on: some have begun when they are created.
  const startMs =
    Math.floor((now + random.int(-1, 4) * day) / day) * day + random.pick([0, 1, 2, 2, 3, 12, 22]) * hour + random.pick([0, 30]) * minute;
  const local = (ms: number) => new Date(ms).toISOString().slice(0, 16);
  const lengthMs = random.pick([30 * minute, hour, 2 * hour, 4 * hour, 9 * hour, 26 * hour]);
  const rrule =
    lengthMs > 20 * hour
      ? random.pick([null, "FREQ=WEEKLY"])
      : random.pick([null, null, "FREQ=DAILY", "FREQ=DAILY;COUNT=4", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY"]);
  const length = random.chance(0.3) ? { duration: `PT${lengthMs / minute}M` } : { end: local(startMs + lengthMs) };
  return { start: local(startMs), ...length, timeZone, rrule, ...(random.chance(0.15) ? { dstPolicy: "rfc" as const } : {}) };
}

export function makeScope(random: Random, world: World): WindowScope {
  switch (random.weighted({ system: 5, tag: 3, integration: 3, mixed: 1, all: 1 })) {
    case "system":
      return { systems: [random.pick([...world.systems.keys()])] };
    case "tag":
      return { tags: [random.pick(tags)] };
    case "integration":
      return { integrations: [random.pick([...world.integrations.keys()])] };
    case "mixed":
      return {
        integrations: [random.pick([...world.integrations.keys()])],
        tags: [random.pick(tags)],
        systems: [random.pick([...world.systems.keys()])],
      };
    case "all":
      return { all: true };
  }
}

export const makeTags = (random: Random): readonly string[] => tags.filter(() => random.chance(0.4));

/** Whether a scope covers an integration, or what it writes, by the catalogue as the story knows it now. */
export function scopeCovers(
  world: World,
  scope: WindowScope,
  asked: { readonly integration: string; readonly onlyWrites?: boolean },
): boolean {
  const integration = world.integrations.get(asked.integration);
  if (integration === undefined) return false;
  if (scope.all === true || scope.integrations?.includes(asked.integration) === true) return true;
  if (integration.tags.some((tag) => scope.tags?.includes(tag) === true)) return true;
  return [integration.target, ...(asked.onlyWrites === true ? [] : integration.via)].some((system) =>
    isDownWith(world, system, scope.systems ?? [], new Set()),
  );
}

/** A system is down when it is named, or when something that it needs is down. */
function isDownWith(world: World, system: string, named: readonly string[], seen: Set<string>): boolean {
  if (named.includes(system)) return true;
  if (seen.has(system)) return false;
  seen.add(system);
  const needs = world.systems.get(system)?.dependsOn.filter((one) => one.strength === "hard") ?? [];
  return needs.some((one) => isDownWith(world, one.system, named, seen));
}
