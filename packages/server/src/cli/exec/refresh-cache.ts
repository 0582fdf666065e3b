import { CliError } from "../cli-error.js";
import type { ExecWorld } from "./exec-world.js";

/** Fetches what is planned, for the time when no server answers. Its failure never stops work that may go on. */
export async function refreshCache(world: Pick<ExecWorld, "gate" | "cache" | "clock" | "say">): Promise<void> {
  try {
    const known = await world.gate.upcoming();
    await world.cache.write({ ...known, fetchedAt: world.clock.wallMs() });
  } catch (error) {
    if (error instanceof CliError && error.exit === "unreachable") return;
    world.say(`what is planned could not be kept for an outage: ${error instanceof Error ? error.message : String(error)}`);
  }
}
