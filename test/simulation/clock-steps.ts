import type { CommandContext } from "../../packages/server/src/command.js";
import { acknowledgeClockStep } from "../../packages/server/src/runs/clock-step.js";
import type { Server } from "./server.js";
import type { Story } from "./story.js";
import { hour } from "./world.js";

/** Somebody sets the wall clock of one server two hours wrong, or right again. The database's clock decides, so nothing may differ. */
export function skewServer(story: Story, server: Server): void {
  const skewMs = server.gate.skewMs === 0 ? story.random.pick([-2 * hour, 2 * hour]) : 0;
  story.note(`the clock of ${server.name} is ${skewMs / hour} hours wrong`);
  server.gate.skewMs = skewMs;
  story.tally.skews += 1;
}

/**
 * The database's clock jumps, and is put right a while later: from the jump until somebody acknowledges it nothing starts and no duty is done, on
 * either server, also on one that was started in between.
 */
export async function stepDatabaseClock(story: Story, servers: readonly Server[], context: CommandContext): Promise<void> {
  const { random, now: right } = story;
  const awake = random.shuffled(servers.filter((server) => !server.frozen));
  const [first] = awake;
  if (first === undefined) return;
  for (const server of awake)
    if (!(await server.trustsClock())) story.broken(`${server.name} does not trust the database's clock, which was steady`);
  const byMs = random.pick([-2 * hour, 2 * hour, -1_500, 5_000]);
  story.note(`the database's clock jumps by ${byMs} ms`);
  await story.jumpClock(right + byMs);
  await nothingHappens(story, awake);
  if (random.chance(0.4)) {
    story.note(`${first.name} crashed`);
    await first.crash();
  }
  await nothingHappens(story, awake);
  await story.jumpClock(right);
  await nothingHappens(story, awake);
  await acknowledgeClockStep(context, { reason: "set right by hand" });
  story.note("the jump is acknowledged");
  for (const server of awake)
    if (!(await server.trustsClock())) story.broken(`${server.name} goes on not trusting the clock after the acknowledgement`);
  story.tally.clockSteps += 1;
}

async function nothingHappens(story: Story, servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    const started = await server.claim(500);
    if (started > 0) story.broken(`${server.name} started ${started} runs after the database's clock had jumped`);
    if (await server.dutyIfTrusted(story.random.pick(server.passes)))
      story.broken(`${server.name} did a duty after the database's clock had jumped`);
  }
  const rows = await story.database.sql<{ stopped: boolean }[]>`select clock_stepped_at is not null as stopped from control`;
  const [row] = rows;
  if (row === undefined || !row.stopped) story.broken("two servers looked at a clock that had jumped, and no jump is on record");
}
