import type { Downtime, RemoteDowntime } from "../../index.js";
import { ConformanceFailure, must, rejectedAs, show, withBench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { DowntimeOptions, Subject } from "../conformance-options.js";
import type { TestContext } from "../test-context.js";

interface Announcing {
  readonly x: TestContext;
  readonly window: Downtime;
  readonly options: DowntimeOptions<unknown>;
  readonly announce: (downtime: Downtime) => Promise<readonly string[]>;
  readonly withdraw: (windowId: string) => Promise<void>;
  readonly ours: (windowId?: string) => Promise<readonly RemoteDowntime[]>;
}

/** Over the end of summer time in Europe: an hour that local times have twice. */
const START = "2026-10-25T00:30:00.000Z";
const END = "2026-10-25T02:30:00.000Z";
const LATER_END = "2026-10-25T04:00:00.000Z";

/** The monitor knows each window once, until it is withdrawn. */
export function downtimeCases<T>(subject: Subject<T>): SuiteCases {
  const { downtime } = subject.connector;
  if (downtime === undefined) return { skipped: "the connector announces no downtimes" };
  const { downtime: options } = subject.options;
  if (options === undefined) {
    const run = async (): Promise<never> =>
      Promise.reject(new ConformanceFailure("options.downtime is missing: it names resources that the monitor has."));
    return [{ suite: "downtime", name: "downtime: options are given", run }];
  }
  const one = (name: string, work: (announcing: Announcing) => Promise<void>): ConformanceCase => ({
    suite: "downtime",
    name: `downtime: ${name}`,
    run: () =>
      withBench(subject, async ({ context, system }) => {
        await options.seed?.(system);
        const now = new Date("2026-10-24T12:00:00.000Z");
        const x = await context({ now });
        await work({
          x,
          window: {
            windowId: "occurrence-1",
            start: START,
            end: END,
            resources: options.resources,
            title: "Upgrade",
            suppress: "notifications",
          },
          options: options as DowntimeOptions<unknown>,
          announce: async (given) => (await downtime.announce(x, given)).ids,
          withdraw: (windowId) => downtime.withdraw(x, windowId),
          ours: async (windowId) =>
            (await downtime.list(x)).filter((found) =>
              windowId === undefined ? found.windowId !== undefined : found.windowId === windowId,
            ),
        });
      }),
  });
  return [
    one("announced once or twice, it is there once", announcesOnce),
    one("it is there at its instants, though local time is doubtful", keepsInstants),
    one("announced with another end, it has that end, and is there once", putsRight),
    one("two windows are two downtimes, and one goes without the other", keepsApart),
    one("withdrawn twice, and withdrawn though it never was, it is gone", withdrawsTwice),
    ...(options.unknownResource === undefined ? [] : [one("a resource that the monitor has not is not_found, by name", refusesUnknown)]),
  ];
}

const resourcesOf = (found: readonly RemoteDowntime[]): readonly string[] =>
  [...new Set(found.flatMap(({ resources }) => resources))].toSorted();

function mustCover(found: readonly RemoteDowntime[], window: Downtime, what: string): void {
  must(
    show(resourcesOf(found)) === show(window.resources.toSorted()),
    `${what} the monitor lists ${show(found)}, expected ${show(window.resources)} covered.`,
  );
  const covered = found.flatMap(({ resources }) => resources);
  must(covered.length === new Set(covered).size, `${what} a resource is covered twice: ${show(found)}.`);
}

async function announcesOnce({ window, announce, ours }: Announcing): Promise<void> {
  const first = await announce(window);
  must(first.length > 0, "announce answered without an id.");
  mustCover(await ours(window.windowId), window, "After one announcement");
  const second = await announce(window);
  must(
    show(first.toSorted()) === show(second.toSorted()),
    `The same window announced twice has the ids ${show(first)} and ${show(second)}.`,
  );
  const found = await ours();
  mustCover(found, window, "After the second announcement");
  must(
    show(found.map(({ id }) => id).toSorted()) === show(first.toSorted()),
    `announce gave the ids ${show(first)}, list gives ${show(found.map(({ id }) => id))}.`,
  );
}

async function keepsInstants({ window, announce, ours }: Announcing): Promise<void> {
  await announce(window);
  for (const found of await ours(window.windowId))
    must(
      Date.parse(found.start) === Date.parse(START) && Date.parse(found.end) === Date.parse(END),
      `Announced from ${START} to ${END}, the downtime is from ${found.start} to ${found.end}.`,
    );
}

async function putsRight({ window, announce, ours }: Announcing): Promise<void> {
  await announce(window);
  const longer = { ...window, end: LATER_END };
  await announce(longer);
  const found = await ours(window.windowId);
  mustCover(found, longer, "After the window was extended");
  for (const { end } of found)
    must(Date.parse(end) === Date.parse(LATER_END), `The window ends at ${LATER_END} now, the downtime at ${end}.`);
}

async function keepsApart({ window, announce, withdraw, ours }: Announcing): Promise<void> {
  const other = { ...window, windowId: "occurrence-12" };
  await announce(window);
  await announce(other);
  mustCover(await ours(window.windowId), window, "Of two windows, for the first,");
  await withdraw(window.windowId);
  must((await ours(window.windowId)).length === 0, `A withdrawn window is still there: ${show(await ours())}.`);
  mustCover(await ours(other.windowId), other, "After the other was withdrawn");
}

async function withdrawsTwice({ window, announce, withdraw, ours }: Announcing): Promise<void> {
  await withdraw("occurrence-never");
  await announce(window);
  await withdraw(window.windowId);
  await withdraw(window.windowId);
  must((await ours()).length === 0, `After it was withdrawn the monitor lists ${show(await ours())}.`);
}

async function refusesUnknown({ window, options, announce, ours }: Announcing): Promise<void> {
  const resource = options.unknownResource ?? "";
  const error = await rejectedAs(`announce for ${resource}`, ["not_found"], announce({ ...window, resources: [resource] }));
  must(
    error.info.field !== undefined || error.message.includes(resource),
    `announce for ${resource} does not say which resource is not there: ${error.message}`,
  );
  must((await ours()).length === 0, `A window over nothing is listed: ${show(await ours())}.`);
}
