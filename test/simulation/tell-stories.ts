import { describe, expect, it } from "vitest";
import { type Sum, sumOf, sumWithOtherHalf } from "./both-halves.js";
import { replaceProcessClock } from "./process-clock.js";
import { simulate, type SimulationResult } from "./simulate.js";
import { openPlace, type StoryPlace } from "./story-place.js";
import { emptyTally } from "./tally.js";

/** How many seeds, and from which on. CI takes the default, the nightly run 10,000. */
const seeds = Number(process.env["QUIESCE_SIMULATION_SEEDS"] ?? 300);
const firstSeed = Number(process.env["QUIESCE_SIMULATION_FIRST_SEED"] ?? 1);
/** A broken guard breaks most stories; the first ones say enough. */
const maxFailures = 5;
const seedsToReport = 50;
/** In fewer stories what is rare may not happen. */
const storiesThatShowAll = 20;
/** In so few, what is seldom. */
const storiesThatShowMore = 50;
const seldom: ReadonlySet<string> = new Set(["reheld", "canariesRetried", "freezesOverridden", "passages", "otherZoneData"]);

/** The days' partitions of runs, as in production, cost a story twice the time. */
const seedsOfDayPartitions = 10;

/** Where one process tells its stories. After one that failed or left something unfinished the next one is told elsewhere. */
class Lane {
  #place: StoryPlace | null = null;

  async tell(seed: number): Promise<SimulationResult> {
    const days = seed % seedsOfDayPartitions === 0;
    const place = days ? await openPlace({ days }) : (this.#place ??= await openPlace({ days }));
    let isClear = false;
    try {
      const result = await simulate(seed, place);
      isClear = !days && (await place.clear());
      return result;
    } finally {
      if (!isClear) await this.#leave(place);
    }
  }

  async close(): Promise<void> {
    if (this.#place !== null) await this.#leave(this.#place);
  }

  async #leave(place: StoryPlace): Promise<void> {
    if (this.#place === place) this.#place = null;
    await place.close();
  }
}

const rerun = (seed: number): string =>
  `QUIESCE_SIMULATION_FIRST_SEED=${seed} QUIESCE_SIMULATION_SEEDS=1 npx vitest run --project simulation`;

interface Told {
  readonly results: readonly SimulationResult[];
  readonly failed: ReadonlyMap<number, unknown>;
}

/** Tells the stories of these seeds one after another, and says at once which of them fails and how to tell that one alone. */
async function tellAll(waiting: number[]): Promise<Told> {
  const total = waiting.length;
  const results: SimulationResult[] = [];
  const failed = new Map<number, unknown>();
  const startedAt = performance.now();
  replaceProcessClock();
  const lane = new Lane();
  for (let seed = waiting.shift(); seed !== undefined && failed.size < maxFailures; seed = waiting.shift()) {
    try {
      results.push(await lane.tell(seed));
    } catch (error) {
      failed.set(seed, error);
      console.error(`Simulation: seed ${seed} failed. It alone: ${rerun(seed)}\n${error instanceof Error ? error.message : String(error)}`);
    }
    const told = results.length + failed.size;
    if (told % seedsToReport > 0) continue;
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(`Simulation: ${told} of ${total} seeds in ${seconds.toFixed(0)} s, ${failed.size} failed; the last was ${seed}`);
  }
  await lane.close();
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
        const mineSum = sumOf(results.map((one) => ({ ...one })));
        console.log(`Simulation: ${describeSum(mineSum)}`);
        const both = seeds < storiesThatShowAll ? null : await sumWithOtherHalf(half, mineSum);
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
        if (both !== null) showsAll(both);
      },
    );
  });
}

const describeSum = ({ stories, counts }: Sum): string =>
  `${stories} stories kept the laws; ${Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")}`;

/** A thing that never took place was not tested: what all stories together saw has to hold everything that is counted. */
function showsAll(both: Sum): void {
  console.log(`Simulation, both halves: ${describeSum(both)}`);
  const { stories, counts } = both;
  const often = (name: string, times: number) => expect([name, counts[name]]).toEqual([name, expect.toSatisfy((count) => count > times)]);
  often("starts", stories * 50);
  often("held", stories * 5);
  often("postponed", stories / 2);
  for (const name of Object.keys(emptyTally())) if (!seldom.has(name) || stories >= storiesThatShowMore) often(name, 0);
}
