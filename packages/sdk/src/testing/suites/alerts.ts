import { SEVERITIES, type Alert, type Cursor } from "../../index.js";
import { ConformanceFailure, must, show, withBench, type Bench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { AlertsOptions, Subject } from "../conformance-options.js";
import { isInstant } from "../instant.js";

const MAX_PAGES = 100;

interface Look {
  readonly alerts: readonly Alert[];
  readonly cursor: Cursor | null;
  /** All that fires was given. */
  readonly snapshot: boolean;
}

interface Watching<T> extends Bench<T> {
  readonly options: AlertsOptions<T>;
  readonly look: (cursor?: Cursor | null) => Promise<Look>;
}

/** The same trouble keeps its name, ends once, and says when the monitor itself keeps quiet. */
export function alertsCases<T>(subject: Subject<T>): SuiteCases {
  const { alerts } = subject.connector;
  if (alerts?.pull === undefined) return { skipped: "the connector does not ask for alerts" };
  const { alerts: options } = subject.options;
  if (options === undefined) {
    const run = async (): Promise<never> =>
      Promise.reject(new ConformanceFailure("options.alerts is missing: it says how to make something fire, and end."));
    return [{ suite: "alerts", name: "alerts: options are given", run }];
  }
  const one = (name: string, work: (watching: Watching<T>) => Promise<void>): ConformanceCase => ({
    suite: "alerts",
    name: `alerts: ${name}`,
    run: () =>
      withBench(subject, async (bench) => {
        // A new context for each look: an alert keeps its name over restarts of the host.
        const look = async (cursor: Cursor | null = null): Promise<Look> =>
          lookAt(alerts.pull?.(await bench.context(), { cursor }) ?? none(), cursor);
        await work({ ...bench, options, look });
      }),
  });
  return [
    one("what fires is told whole", tellsWhole),
    one("a fingerprint stays the same from look to look", keepsFingerprint),
    one("two troubles have two fingerprints", tellsApart),
    one("what has ended is told as resolved, or absent from all that fires", resolves),
    one("what fires again has the fingerprint of before", firesAgain),
    ...(options.silence === undefined ? [] : [one("what the monitor keeps quiet about says why", saysSuppressed)]),
    ...(alerts.acknowledge === undefined
      ? []
      : [
          one("to acknowledge what fires, and what is there no more, succeeds", async ({ options: { raise }, system, look, context }) => {
            await raise(system, "a");
            const { alerts: found } = await look();
            const x = await context();
            await alerts.acknowledge?.(x, found[0]?.id ?? "", "seen");
            await alerts.acknowledge?.(x, `${found[0]?.id ?? ""}0000`, "seen");
          }),
        ]),
  ];
}

async function* none(): AsyncGenerator<never> {}

async function lookAt(
  pages: AsyncIterable<{ alerts: readonly Alert[]; cursor: Cursor | null; snapshot?: boolean; more: boolean }>,
  start: Cursor | null,
): Promise<Look> {
  const alerts: Alert[] = [];
  let cursor = start;
  let count = 0;
  for await (const page of pages) {
    alerts.push(...page.alerts);
    cursor = page.cursor;
    count += 1;
    must(count <= MAX_PAGES, `alerts.pull gave ${MAX_PAGES} pages, and none said more: false.`);
    if (!page.more) return { alerts, cursor, snapshot: page.snapshot === true };
  }
  throw new ConformanceFailure(`alerts.pull ended after ${count} pages without one that says more: false.`);
}

const firing = ({ alerts }: Look): readonly Alert[] => alerts.filter(({ status }) => status === "firing");

async function tellsWhole<T>({ options, system, look }: Watching<T>): Promise<void> {
  await options.raise(system, "a");
  const found = firing(await look());
  must(found.length === 1, `One thing fires, alerts.pull gave ${show(found)}.`);
  for (const alert of found) {
    for (const name of ["id", "fingerprint", "title"] as const)
      must(typeof alert[name] === "string" && alert[name] !== "", `An alert has ${show(alert[name])} as ${name}, expected a text.`);
    must(SEVERITIES.includes(alert.severity), `An alert has the severity ${show(alert.severity)}, expected ${SEVERITIES.join(", ")}.`);
    must(isInstant(alert.startsAt), `An alert has startsAt ${show(alert.startsAt)}, expected ISO 8601 with an offset.`);
    must(alert.endsAt === undefined, `An alert that fires has endsAt ${show(alert.endsAt)}.`);
    must(
      alert.resource.name !== "" && alert.resource.kind !== "",
      `An alert has the resource ${show(alert.resource)}, expected kind and name.`,
    );
  }
}

async function keepsFingerprint<T>({ options, system, look }: Watching<T>): Promise<void> {
  await options.raise(system, "a");
  const prints: (string | undefined)[] = [];
  for (let round = 0; round < 3; round += 1) prints.push(firing(await look())[0]?.fingerprint);
  must(new Set(prints).size === 1, `The same trouble has the fingerprints ${show(prints)} in three looks.`);
}

async function tellsApart<T>({ options, system, look }: Watching<T>): Promise<void> {
  await options.raise(system, "a");
  await options.raise(system, "b");
  const found = firing(await look());
  must(new Set(found.map(({ fingerprint }) => fingerprint)).size === 2, `Two things fire, the alerts are ${show(found)}.`);
}

async function resolves<T>({ options, system, look }: Watching<T>): Promise<void> {
  await options.raise(system, "a");
  await options.raise(system, "b");
  const before = await look();
  await options.resolve(system, "a");
  const after = await look(before.cursor);
  const left = new Set(firing(after).map(({ fingerprint }) => fingerprint));
  const ended = firing(before).filter(({ fingerprint }) => !left.has(fingerprint));
  if (after.snapshot) {
    must(ended.length === 1 && left.size === 1, `One of two has ended, and all that fires is ${show(firing(after))}.`);
    return;
  }
  const told = after.alerts.filter(({ status }) => status === "resolved");
  must(told.length === 1, `One of two has ended, and alerts.pull told of ${told.length} ends: ${show(after.alerts)}.`);
  const [resolved] = told;
  must(
    firing(before).some(({ fingerprint }) => fingerprint === resolved?.fingerprint),
    `The end has the fingerprint ${show(resolved?.fingerprint)}, which nothing that fired had.`,
  );
  must(
    resolved?.endsAt !== undefined && isInstant(resolved.endsAt),
    `The end has endsAt ${show(resolved?.endsAt)}, expected ISO 8601 with an offset.`,
  );
}

async function firesAgain<T>({ options, system, look }: Watching<T>): Promise<void> {
  await options.raise(system, "a");
  const first = await look();
  await options.resolve(system, "a");
  const second = await look(first.cursor);
  await options.raise(system, "a");
  const third = await look(second.cursor);
  const print = firing(first)[0]?.fingerprint;
  must(
    firing(third)[0]?.fingerprint === print,
    `The same trouble had the fingerprint ${show(print)}, and ${show(firing(third))} when it came back.`,
  );
}

async function saysSuppressed<T>({ options, system, look }: Watching<T>): Promise<void> {
  await options.raise(system, "a");
  must((firing(await look())[0]?.suppressedBy ?? []).length === 0, "An alert that the monitor tells of has suppressedBy.");
  await options.silence?.(system, "a");
  const [alert] = firing(await look());
  must(
    (alert?.suppressedBy ?? []).length > 0,
    `The monitor keeps quiet about what fires, and the alert is ${show(alert)}, expected suppressedBy.`,
  );
}
