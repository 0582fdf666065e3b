import { describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../packages/server/src/db/client.js";
import { freshDatabase } from "../database/fresh-database.js";
import { prepareStatements } from "./prepared-statements.js";
import { simulate, type SimulationResult } from "./simulate.js";

/** How many seeds, and from which on. CI takes the default, the nightly run 10,000. */
const seeds = Number(process.env["QUIESCE_SIMULATION_SEEDS"] ?? 300);
const firstSeed = Number(process.env["QUIESCE_SIMULATION_FIRST_SEED"] ?? 1);
/** Stories that one process tells at the same time: while one waits for the database, another thinks. */
const lanes = Number(process.env["QUIESCE_SIMULATION_LANES"] ?? 2);
/** A broken guard breaks most stories; the first ones say enough. */
const maxFailures = 5;
const seedsToReport = 50;
/** In fewer stories what is rare may not happen. */
const seedsThatShowAll = 20;
const notSeldom = [
  "aborts",
  "passages",
  "gates",
  "zombies",
  "approved",
  "announced",
  "extended",
  "endedEarly",
  "changedCovers",
  "verified",
  "overrun",
  "canaries",
  "ramped",
  "overrides",
] as const;
const seedsThatShowMore = 50;
const seldom = ["reheld", "canariesRetried"] as const;

async function tell(seed: number): Promise<SimulationResult> {
  const fresh = await freshDatabase();
  const url = new URL(fresh.url);
  // A story is short: what is planned once must do for all of it.
  url.searchParams.set("plan_cache_mode", "force_generic_plan");
  url.searchParams.set("jit", "off");
  const opened: Database[] = [];
  const connect = (applicationName: string, max: number): Database => {
    const database = openDatabase(url.href, { max, applicationName });
    prepareStatements(database);
    opened.push(database);
    return database;
  };
  try {
    return await simulate({ seed, database: connect(`simulation-${seed}`, 4), connect: (name) => connect(name, 2) });
  } finally {
    await Promise.all(opened.map((database) => database.close()));
    await fresh.drop();
  }
}

const rerun = (seed: number): string =>
  `QUIESCE_SIMULATION_FIRST_SEED=${seed} QUIESCE_SIMULATION_SEEDS=1 npx vitest run --project simulation`;

interface Told {
  readonly results: readonly SimulationResult[];
  readonly failed: ReadonlyMap<number, unknown>;
}

/** Tells the stories of these seeds, a few at once, and says at once which of them fails and how to tell that one alone. */
async function tellAll(waiting: number[]): Promise<Told> {
  const total = waiting.length;
  const results: SimulationResult[] = [];
  const failed = new Map<number, unknown>();
  const startedAt = performance.now();
  const lane = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined && failed.size < maxFailures; seed = waiting.shift()) {
      try {
        results.push(await tell(seed));
      } catch (error) {
        failed.set(seed, error);
        console.error(
          `Simulation: seed ${seed} failed. It alone: ${rerun(seed)}\n${error instanceof Error ? error.message : String(error)}`,
        );
      }
      const told = results.length + failed.size;
      if (told % seedsToReport > 0) continue;
      const seconds = (performance.now() - startedAt) / 1_000;
      console.log(`Simulation: ${told} of ${total} seeds in ${seconds.toFixed(0)} s, ${failed.size} failed; the last was ${seed}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, total) }, lane));
  return { results, failed };
}

/** One half of the seeds: two processes share the work. */
export function tellStories(half: 0 | 1): void {
  const mine = Array.from({ length: seeds }, (_, index) => firstSeed + index).filter((_, index) => index % 2 === half);
  describe("the simulation", () => {
    it.skipIf(mine.length === 0)(
      `keeps the laws in ${mine.length} stories, every second seed from ${mine[0] ?? firstSeed} on`,
      { timeout: 120_000 + mine.length * 60_000 },
      async () => {
        const { results, failed } = await tellAll([...mine]);
        const total = (name: keyof SimulationResult) => results.reduce((sum, one) => sum + one[name], 0);
        const names = Object.keys(results[0] ?? {}) as (keyof SimulationResult)[];
        console.log(`Simulation: ${results.length} stories kept the laws; ${names.map((name) => `${name} ${total(name)}`).join(", ")}`);
        const [first] = failed;
        if (first !== undefined) {
          const untold = mine.length - results.length - failed.size;
          const rest = untold === 0 ? "" : ` ${untold} more were not told after that.`;
          throw new Error(`These seeds failed: ${[...failed.keys()].join(", ")}.${rest} One alone: ${rerun(first[0])}`, {
            cause: first[1],
          });
        }
        expect(results).toHaveLength(mine.length);
        for (const result of results) {
          expect(result.windows).toBeGreaterThanOrEqual(30);
          expect(result.crashes).toBeGreaterThanOrEqual(3);
        }
        expect(total("starts")).toBeGreaterThan(results.length * 50);
        expect(total("held")).toBeGreaterThan(results.length * 5);
        expect(total("postponed")).toBeGreaterThan(results.length / 2);
        if (results.length >= seedsThatShowAll) for (const name of notSeldom) expect([name, total(name)]).not.toEqual([name, 0]);
        if (results.length >= seedsThatShowMore) for (const name of seldom) expect([name, total(name)]).not.toEqual([name, 0]);
      },
    );
  });
}
