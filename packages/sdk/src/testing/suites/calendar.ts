import { cursorProblem, type Change, type Cursor } from "../../index.js";
import {
  CALENDAR_RANGE,
  must,
  optionsMissing,
  rejectedAs,
  show,
  withBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { CalendarOptions, PlannedChange, Subject } from "../conformance-options.js";
import { inFuture } from "../future-cursor.js";
import { instantOf, isInstant } from "../instant.js";

const HOUR_MS = 3_600_000;
const MANY = 25;
const MAX_PAGES = 200;
const STATES: readonly Change["state"][] = ["draft", "approval", "scheduled", "active", "done", "failed", "cancelled"];

type Calendar = NonNullable<Subject<unknown>["connector"]["calendar"]>;

interface Look {
  readonly changes: readonly Change[];
  readonly cursor: Cursor | null;
}

interface Planning<T> extends Bench<T> {
  readonly calendar: Calendar;
  readonly options: CalendarOptions<T>;
  readonly look: (cursor?: Cursor | null, pages?: number) => Promise<Look>;
  /** Plans a change from so many hours after the beginning of the range, for so many; gives the id by which the connector knows it. */
  readonly plan: (name: string, startHours: number, hours: number) => Promise<string>;
}

/** Every planned change of a range is told with its own times, and what becomes of it is told too. */
export function calendarCases<T>(subject: Subject<T>): SuiteCases {
  const { calendar } = subject.connector;
  if (calendar === undefined) return { skipped: "the connector knows no planned changes" };
  const { calendar: options } = subject.options;
  if (options === undefined) return optionsMissing("calendar", "it says how a change is planned at the system");
  const one = (name: string, work: (planning: Planning<T>) => Promise<void>): ConformanceCase => ({
    suite: "calendar",
    name: `calendar: ${name}`,
    run: () =>
      withBench(subject, async (bench) => {
        // A new context for each look, as after a restart of the host.
        const look = async (cursor: Cursor | null = null, pages = MAX_PAGES): Promise<Look> => {
          const x = await bench.context();
          return lookAt(calendar, { x, cursor, pages });
        };
        const plan = async (id: string, startHours: number, hours: number): Promise<string> => {
          const change = changeAt(id, startHours, hours);
          await options.plan(bench.system, change);
          return options.idOf?.(change) ?? id;
        };
        await work({ ...bench, calendar, options, look, plan });
      }),
  });
  return [
    one("a planned change is told whole", tellsWhole),
    one("its times are the instants that were planned", keepsInstants),
    one("what touches the range is told, and nothing else", keepsRange),
    one("many changes come each once", tellsEachOnce),
    one("killed after each page, nothing is lost", resumes),
    one("what is planned after a look is told by the next", followsPlans),
    one("a change that moves keeps its id, and is told again", followsMoves),
    one("a cursor of the future does not silence it for ever", survivesFuture),
    ...(options.cancel === undefined ? [] : [one("what is called off is told as cancelled", followsCancellations)]),
    ...(calendar.approve === undefined || options.awaitApproval === undefined
      ? []
      : [one("approved, it waits no more; refused, it does not take place", approves)]),
  ];
}

function changeAt(id: string, startHours: number, hours: number): PlannedChange {
  const start = Date.parse(CALENDAR_RANGE.from) + startHours * HOUR_MS;
  return { id, start: new Date(start), end: new Date(start + hours * HOUR_MS) };
}

async function lookAt(
  calendar: Calendar,
  { x, cursor, pages }: { readonly x: Parameters<Calendar["changes"]>[0]; readonly cursor: Cursor | null; readonly pages: number },
): Promise<Look> {
  const changes: Change[] = [];
  let next = cursor;
  let count = 0;
  for await (const page of calendar.changes(x, { ...CALENDAR_RANGE, cursor })) {
    changes.push(...page.changes);
    const problem = page.cursor === null ? undefined : cursorProblem(page.cursor);
    must(problem === undefined, `calendar.changes gave a cursor that cannot be kept: ${problem ?? ""}.`);
    next = page.cursor;
    count += 1;
    if (!page.more || count === pages) return { changes, cursor: next };
  }
  must(false, `calendar.changes ended after ${count} pages without one that says more: false.`);
}

async function tellsWhole<T>({ plan, look }: Planning<T>): Promise<void> {
  const id = await plan("chg-1", 10, 2);
  const { changes } = await look();
  must(changes.length === 1, `One change is planned, calendar.changes gave ${show(changes)}.`);
  for (const change of changes) {
    must(change.id === id, `The change ${show(id)} is told with the id ${show(change.id)}.`);
    must(change.title !== "", "A change has no title.");
    must(STATES.includes(change.state), `A change is in the state ${show(change.state)}, expected ${STATES.join(", ")}.`);
    must(isInstant(change.updatedAt), `A change has updatedAt ${show(change.updatedAt)}, expected ISO 8601 with an offset.`);
    must(
      change.resources.every((name) => typeof name === "string" && name !== ""),
      `A change touches ${show(change.resources)}, expected names.`,
    );
  }
}

async function keepsInstants<T>({ plan, look }: Planning<T>): Promise<void> {
  await plan("chg-1", 10, 2);
  const planned = changeAt("chg-1", 10, 2);
  const [change] = (await look()).changes;
  for (const name of ["start", "end"] as const)
    must(
      instantOf(change?.[name] ?? "", change?.timeZone) === planned[name].getTime(),
      `Planned with ${name} ${planned[name].toISOString()}, a change is told with ${name} ${show(change?.[name])} and timeZone ${show(change?.timeZone)}: expected that instant with an offset, or local beside its zone.`,
    );
}

async function keepsRange<T>({ plan, look }: Planning<T>): Promise<void> {
  const hours = (Date.parse(CALENDAR_RANGE.to) - Date.parse(CALENDAR_RANGE.from)) / HOUR_MS;
  const inside = [await plan("inside", 10, 2), await plan("over-start", -1, 2), await plan("over-end", hours - 1, 2)];
  inside.push(await plan("over-all", -2, hours + 4));
  for (const [name, start] of [
    ["long-before", -100],
    ["until-start", -2],
    ["from-end", hours],
    ["long-after", hours + 100],
  ] as const)
    await plan(name, start, 2);
  const found = (await look()).changes.map(({ id }) => id);
  must(
    show(found.toSorted()) === show(inside.toSorted()),
    `From ${CALENDAR_RANGE.from} to ${CALENDAR_RANGE.to} there are the changes ${show(inside.toSorted())}, calendar.changes gave ${show(found.toSorted())}.`,
  );
}

async function planMany<T>({ plan }: Planning<T>): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index < MANY; index += 1) ids.push(await plan(`chg-${index}`, 1 + (index % 5), 1));
  return ids;
}

async function tellsEachOnce<T>(planning: Planning<T>): Promise<void> {
  const expected = await planMany(planning);
  const found = (await planning.look()).changes.map(({ id }) => id);
  must(
    show(found.toSorted()) === show(expected.toSorted()),
    `${MANY} changes are planned, calendar.changes gave ${found.length}, ${new Set(found).size} of them different.`,
  );
}

async function resumes<T>(planning: Planning<T>): Promise<void> {
  const expected = await planMany(planning);
  const found = new Set<string>();
  let cursor: Cursor | null = null;
  for (let round = 0; round < MANY * 2; round += 1) {
    const look: Look = await planning.look(cursor, 1);
    for (const { id } of look.changes) found.add(id);
    cursor = look.cursor;
    // Who can only be asked for all gives all each time.
    if (cursor === null || look.changes.length === 0) break;
  }
  if (cursor === null) for (const { id } of (await planning.look()).changes) found.add(id);
  const lost = expected.filter((id) => !found.has(id));
  must(lost.length === 0, `Killed after each page, and begun again behind its cursor, the changes ${show(lost)} were never told.`);
}

async function followsPlans<T>({ plan, look }: Planning<T>): Promise<void> {
  await plan("first", 10, 2);
  const { cursor } = await look();
  const second = await plan("second", 20, 2);
  const { changes } = await look(cursor);
  must(
    changes.some(({ id }) => id === second),
    `The change ${show(second)} was planned after a look, and the look behind its cursor gave ${show(changes.map(({ id }) => id))}.`,
  );
}

async function followsMoves<T>({ plan, look }: Planning<T>): Promise<void> {
  await plan("chg-1", 10, 2);
  const { cursor } = await look();
  const id = await plan("chg-1", 30, 3);
  const moved = (await look(cursor)).changes.find((change) => change.id === id);
  must(moved !== undefined, `The change ${show(id)} was moved after a look, and the look behind its cursor does not tell it.`);
  const { start } = changeAt("chg-1", 30, 3);
  must(
    instantOf(moved.start, moved.timeZone) === start.getTime(),
    `The change was moved to ${start.toISOString()}, and is told with start ${show(moved.start)}.`,
  );
}

async function survivesFuture<T>({ plan, look }: Planning<T>): Promise<void> {
  await plan("chg-1", 10, 2);
  const cursor = inFuture((await look()).cursor);
  if (cursor === null) return;
  const id = await plan("chg-2", 20, 2);
  const outcome = look(cursor);
  const found = await outcome.catch(() => undefined);
  if (found === undefined) {
    await rejectedAs("calendar.changes from a cursor of the future", ["config"], outcome);
    return;
  }
  must(
    found.changes.some((change) => change.id === id),
    `From a cursor of the year 2999 calendar.changes gave ${show(found.changes)}. Begin again, or throw config.`,
  );
}

async function followsCancellations<T>({ plan, look, options, system }: Planning<T>): Promise<void> {
  const id = await plan("chg-1", 10, 2);
  const { cursor } = await look();
  await options.cancel?.(system, "chg-1");
  const told = (await look(cursor)).changes.find((change) => change.id === id);
  must(told?.state === "cancelled", `The change ${show(id)} was called off, and is told as ${show(told)}, expected the state cancelled.`);
}

async function approves<T>({ plan, look, options, system, calendar, context }: Planning<T>): Promise<void> {
  const stateOf = async (id: string): Promise<Change["state"] | undefined> =>
    (await look()).changes.find((change) => change.id === id)?.state;
  for (const approve of [true, false]) {
    const name = approve ? "welcome" : "unwelcome";
    const id = await plan(name, 10, 2);
    await options.awaitApproval?.(system, name);
    const before = await stateOf(id);
    must(before === "approval", `A change that waits for approval is told in the state ${show(before)}, expected approval.`);
    const x = await context();
    await calendar.approve?.(x, id, { approve, note: "decided at the meeting" });
    // The answer may have been lost, so the same decision comes again.
    await calendar.approve?.(x, id, { approve, note: "decided at the meeting" });
    const after = await stateOf(id);
    const fits = approve ? after === "scheduled" || after === "active" : after === undefined || after === "cancelled" || after === "draft";
    must(fits, `A change that was ${approve ? "approved" : "refused"} is told in the state ${show(after)}.`);
  }
}
