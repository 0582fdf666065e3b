import { describe, expect, it } from "vitest";
import { openDatabase } from "../../packages/server/src/db/client.js";
import { freshDatabase } from "../database/fresh-database.js";
import { simulate, type SimulationResult } from "./simulate.js";

/** How many seeds, and from which on. CI takes the default, the nightly run 10,000; one seed alone is told again with FIRST_SEED=<n> SEEDS=1. */
const seeds = Number(process.env["QUIESCE_SIMULATION_SEEDS"] ?? 300);
const firstSeed = Number(process.env["QUIESCE_SIMULATION_FIRST_SEED"] ?? 1);
/** Stories told at the same time. */
const lanes = Number(process.env["QUIESCE_SIMULATION_LANES"] ?? 3);

async function tell(seed: number): Promise<SimulationResult> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 4, applicationName: `simulation-${seed}` });
  try {
    return await simulate(database, seed);
  } catch (error) {
    throw new Error(`Seed ${seed} failed. Tell it again with QUIESCE_SIMULATION_FIRST_SEED=${seed} QUIESCE_SIMULATION_SEEDS=1.`, {
      cause: error,
    });
  } finally {
    await database.close();
    await fresh.drop();
  }
}

describe("the simulation", () => {
  it(`keeps the laws in ${seeds} stories from seed ${firstSeed} on`, { timeout: 120_000 + seeds * 30_000 }, async () => {
    const waiting = Array.from({ length: seeds }, (_, index) => firstSeed + index);
    const results: SimulationResult[] = [];
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (let seed = waiting.shift(); seed !== undefined && failures.length === 0; seed = waiting.shift()) {
        try {
          results.push(await tell(seed));
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(lanes, seeds) }, lane));
    if (failures.length > 0) throw failures[0];
    const total = (name: keyof SimulationResult) => results.reduce((sum, one) => sum + one[name], 0);
    const names = Object.keys(results[0] ?? {}) as (keyof SimulationResult)[];
    console.log(`Simulation: ${results.length} seeds from ${firstSeed} on; ${names.map((name) => `${name} ${total(name)}`).join(", ")}`);
    for (const result of results) {
      expect(result.windows).toBeGreaterThanOrEqual(30);
      expect(result.crashes).toBeGreaterThanOrEqual(3);
    }
    expect(total("starts")).toBeGreaterThan(results.length * 50);
    expect(total("held")).toBeGreaterThan(results.length * 5);
  });
});
