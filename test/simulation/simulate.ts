import { checkConservation, checkEventOrder, checkNothingStays, countFeatures } from "./check-end.js";
import { checkResumes } from "./check-resume.js";
import { checkStep } from "./check-step.js";
import { skewServer, stepDatabaseClock } from "./clock-steps.js";
import { Operator } from "./commands.js";
import { giveJobsAPast } from "./drain.js";
import { interleave } from "./interleave.js";
import { randomOf } from "./random.js";
import { Server } from "./server.js";
import { Story } from "./story.js";
import type { StoryPlace } from "./story-place.js";
import type { Tally } from "./tally.js";
import { day, hour, makeWorld, minute } from "./world.js";

const steps = 130;
const minWindows = 30;
const windowsAtStart = 12;
const minCrashes = 3;
const stepsToAnalyse = 25;
const longBacklog = 150;
const maxDrainRounds = 120;
const drainStepMs = 5 * minute;
/** So long the first runs of the story's end have to let the rest go; then a person does. */
const roundsOfFirstRuns = 20;

export interface SimulationResult extends Tally {
  readonly dueTimes: number;
  readonly events: number;
}

type Servers = readonly [Server, Server];

interface Cast {
  readonly story: Story;
  readonly operator: Operator;
  readonly servers: Servers;
}

/** Tells the story of one seed on an empty, migrated database. Throws BrokenLaw with the story's last lines when a law is broken. */
export async function simulate(seed: number, place: StoryPlace): Promise<SimulationResult> {
  const { story, operator, servers } = await begin(seed, place);
  await tellSteps({ story, operator, servers }, { place, from: 0, to: steps });
  while (story.tally.windows < minWindows) await operator.createWindow();
  while (story.tally.crashes < minCrashes) await story.random.pick(servers).crash();
  await analyse(place);
  await endEverything(story, servers, operator);
  await checkNothingStays(story);
  const dueTimes = await checkedConservation(story, servers);
  const events = await checkEventOrder(story);
  await checkResumes(story);
  await countFeatures(story);
  return { ...story.tally, dueTimes, events };
}

/** Tells the beginning of a story, and in one step, in which both servers do all that they do, lets `sabotage` act on the database around it. */
export async function simulateSabotage(
  seed: number,
  place: StoryPlace,
  input: { readonly step: number; readonly sabotage: (turn: () => Promise<void>) => Promise<void> },
): Promise<void> {
  const { story, operator, servers } = await begin(seed, place);
  await tellSteps({ story, operator, servers }, { place, from: 0, to: input.step });
  story.beginStep();
  await input.sabotage(() => fullTurn(story, servers, 500));
  await checkStep(story);
}

async function begin(seed: number, place: StoryPlace): Promise<Cast> {
  const random = randomOf(seed);
  const world = makeWorld(random);
  const story = new Story({ seed, place, random, world });
  await story.setClock(world.startsAt);
  const operator = new Operator(story, await story.actor("operator"));
  await operator.applyCatalogue();
  await readNames(story);
  await giveJobsAPast(story);
  const servers = [new Server(story, "north", await story.actor("north")), new Server(story, "south", await story.actor("south"))] as const;
  for (const server of servers) await server.start();
  for (let index = 0; index < windowsAtStart; index += 1) await operator.createWindow();
  await fullTurn(story, servers, random.int(1, 50));
  await checkStep(story);
  return { story, operator, servers };
}

async function tellSteps(
  { story, operator, servers }: Cast,
  { place, from, to }: { readonly place: StoryPlace; readonly from: number; readonly to: number },
): Promise<void> {
  for (let step = from; step < to; step += 1) {
    if (step % stepsToAnalyse === 0) await analyse(place);
    story.beginStep();
    await oneStep(story, servers, operator);
    await checkStep(story);
    if (step === Math.floor(steps / 2)) await checkedConservation(story, servers);
  }
}

/**
 * What autovacuum does on a server that lives for longer than two seconds: plans made for empty tables are slow ones. Where earlier stories were
 * told, the plans are made for tables such as theirs, and only a long backlog wants others.
 */
async function analyse({ database, isMeasured }: StoryPlace): Promise<void> {
  if (isMeasured) {
    const rows = await database.sql<{ waiting: number }[]>`
      select count(*)::integer as waiting from (select from run where state in ('queued', 'held') limit ${longBacklog}) as one`;
    if ((rows[0]?.waiting ?? 0) < longBacklog) return;
  }
  await database.sql`analyze run, job, hold, hold_member, occurrence`;
}

async function readNames(story: Story): Promise<void> {
  for (const row of await story.database.sql<{ id: number; key: string }[]>`select id, key from integration`) {
    story.integrationKeys.set(row.id, row.key);
    story.integrationIds.set(row.key, row.id);
  }
  for (const row of await story.database.sql<{ id: number; key: string }[]>`select id, key from job`) story.jobIds.set(row.key, row.id);
}

async function oneStep(story: Story, servers: Servers, operator: Operator): Promise<void> {
  const { random } = story;
  const server = random.pick(servers);
  switch (
    random.weighted({
      clock: 34,
      duty: 8,
      claim: 10,
      finish: 8,
      command: 28,
      overlap: 14,
      crash: 2,
      crashMidway: 4,
      freeze: 5,
      downtime: 1.2,
      turn: 14,
      skew: 1.5,
      clockStep: 1.5,
    })
  ) {
    case "clock":
      return moveClock(story, servers);
    case "duty":
      return server.duty(random.pick(server.duties));
    case "claim":
      return void (await server.claim(random.pick([1, 5, 50, 500])));
    case "finish":
      return server.finish();
    case "command":
      return operator.run(operator.choose());
    case "overlap":
      return overlap(story, servers, operator);
    case "crash":
      story.note(`${server.name} crashed`);
      return server.crash();
    case "crashMidway": {
      server.gate.crashAfter(random.int(0, 12));
      await aTask(story, server)();
      server.gate.reset();
      return;
    }
    case "freeze":
      story.note(`${server.name} ${server.frozen ? "goes on" : "froze"}`);
      if (server.frozen) return server.thaw();
      server.frozen = true;
      return;
    case "downtime":
      return downtime(story, servers);
    case "skew":
      return skewServer(story, server);
    case "clockStep":
      return stepDatabaseClock(story, servers, operator.context);
    case "turn":
      return fullTurn(story, [random.pick(servers)], random.int(1, 500));
  }
}

/** What a server does by itself, chosen now and done later. */
function aTask(story: Story, server: Server): () => Promise<void> {
  const { random } = story;
  const limit = random.pick([1, 20, 500]);
  const weights = { claim: 4, finish: 2, ...Object.fromEntries(server.duties.map((duty) => [duty.name, duty.weight])) };
  const task: string = random.weighted(weights);
  const duty = server.duties.find((one) => one.name === task);
  if (duty !== undefined) return () => server.duty(duty);
  return task === "claim" ? async () => void (await server.claim(limit)) : () => server.finish();
}

/** Both servers and, half of the time, a command at once, statement by statement in any order. */
async function overlap(story: Story, servers: Servers, operator: Operator): Promise<void> {
  const { random } = story;
  story.tally.overlaps += 1;
  const tasks = servers.map((server) => ({ gate: server.gate, doing: server.doing, work: aTask(story, server) }));
  const command = random.chance(0.5) ? operator.choose() : null;
  // A refused password makes a hold of its own; the order of two commands at once would be anybody's guess.
  if (command !== null) tasks.push({ gate: operator.gate, doing: operator.doing, work: () => operator.run(command) });
  await interleave(random, tasks);
}

async function moveClock(story: Story, servers: Servers): Promise<void> {
  const { random, holds, now } = story;
  const edges = holds.edgesAfter(now);
  const to = (() => {
    switch (random.weighted({ edge: edges.length > 0 ? 8 : 0, moment: 5, minutes: 5, hours: 4, jump: 0.7, back: 1 })) {
      case "edge":
        return Math.max(
          now,
          (edges[Math.min(edges.length - 1, random.int(0, 3))] ?? now) + random.pick([-90 * minute, -5 * minute, -1, 0, 0, 1, 500]),
        );
      case "moment":
        return now + random.int(1, 20_000);
      case "minutes":
        return now + random.int(1, 40) * minute;
      case "hours":
        return now + random.int(1, 7) * hour;
      case "jump":
        return now + day + random.int(0, day);
      case "back":
        return now - random.pick([1, 999, 30_000]);
    }
  })();
  // Set back, the clock tells times again whose holds are released already: within the same rules, but not before the story's beginning.
  const instant = Math.max(to, story.latest - 60_000, story.world.startsAt);
  for (const server of servers) await server.renew(Math.max(0, instant - now));
  await story.setClock(instant);
}

/** Every server is away for long; their leases end, nobody expands, materialises or releases. */
async function downtime(story: Story, servers: Servers): Promise<void> {
  // Beyond the holds' horizon of a week; once in some stories beyond what the usual peek looks back.
  const wasLong = story.now > story.world.startsAt + 45 * day;
  const away = !wasLong && story.random.chance(0.06) ? 41 * day : story.random.pick([3 * hour, day, 3 * day, 8 * day]);
  story.note(`all servers are away for ${away / hour} hours`);
  await story.setClock(story.now + away);
  for (const server of servers) await server.crash();
  if (story.random.chance(0.7)) for (const server of servers) await fullTurn(story, [server], 500);
}

/** What a server does at its start, and all the time: every duty in order, then the claim and the endings. */
async function fullTurn(story: Story, servers: readonly Server[], limit: number): Promise<void> {
  for (const server of servers) {
    // Else it goes on with zone data that another server has replaced.
    if (story.random.chance(0.7)) await story.takeOverZoneData(server.name);
    for (const pass of server.passes) await server.duty(pass);
    await server.claim(limit);
    await server.finish();
  }
}

async function checkedConservation(story: Story, servers: Servers): Promise<number> {
  story.beginStep();
  await story.takeOverZoneData(servers[0].name);
  for (const pass of servers[0].passes) if (pass.expands || pass.makesRuns) await servers[0].duty(pass);
  await checkStep(story);
  return checkConservation(story);
}

/** Every hold is lifted and every window cancelled or over; then the servers go on until nothing is left to do. */
async function endEverything(story: Story, servers: Servers, operator: Operator): Promise<void> {
  const { holds } = story;
  for (const server of servers) if (server.frozen) await server.thaw();
  if (holds.mode === "observe") {
    holds.mode = "enforce";
    await operator.runMode("enforce");
  }
  for (const [key, window] of holds.windows) if (window.live) await operator.cancelWholeWindow(key);
  await story.setClock(story.latest + 9 * hour);
  for (const server of servers) await server.crash();
  for (let round = 0; round < maxDrainRounds; round += 1) {
    story.beginStep();
    for (const holdId of await operator.openPauses({ firstRuns: round >= roundsOfFirstRuns })) await operator.resumeHold(holdId);
    for (const server of servers) {
      for (const pass of server.passes) await server.duty(pass);
      await server.finish({ succeed: true });
      // The first look claims whole pages; what waits behind the first run of its job would be judged again and again, for nothing.
      for (let started = 1, turn = 0; started > 0; turn += 1) {
        started = await server.claim(500, { endAtOnce: true, firstOfJobs: turn > 0 });
        await server.finish({ succeed: true });
      }
    }
    await checkStep(story);
    if (!(await hasWork(story))) return;
    for (const server of servers) await server.renew(drainStepMs);
    await story.setClock(story.now + drainStepMs);
  }
  story.note("the story does not come to an end");
}

async function hasWork(story: Story): Promise<boolean> {
  const rows = await story.database.sql<{ work: boolean }[]>`
    select exists (select from run where state in ('running', 'held') or (state = 'queued' and due_at <= app_now())) as work`;
  return rows[0]?.work ?? false;
}
