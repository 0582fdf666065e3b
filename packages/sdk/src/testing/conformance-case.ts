import type { Context, JsonObject } from "../index.js";
import { isConnectorError, type ConnectorError, type ErrorKind } from "../error.js";
import type { Subject } from "./conformance-options.js";
import { SEED_ROWS } from "./seed-rows.js";
import type { RunningSystem } from "./system-under-test.js";
import { TEST_NOW, testContext, type TestContext, type TestContextOptions } from "./test-context.js";

/** The suites, in the order in which they run. */
export const SUITES = [
  "manifest",
  "migration",
  "check",
  "read",
  "write",
  "cancel",
  "limits",
  "egress",
  "alerts",
  "webhook",
  "downtime",
  "tracker",
  "rotate",
  "calendar",
  "catalog",
  "quota",
  "notify",
  "reconcile",
] as const;

/** One of {@link SUITES}. */
export type SuiteName = (typeof SUITES)[number];

/** One thing that a connector must do. `run` rejects if it does not, with a message that says what was found and expected. */
export interface ConformanceCase {
  readonly suite: SuiteName;
  /** A sentence, unique among all cases. Begins with the suite: `check: wrong secrets are auth`. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Cases of one suite, or why it has none for this connector. */
export type SuiteCases = readonly ConformanceCase[] | { readonly skipped: string };

/** The connector fails a case: the message says what was found and what is expected. */
export class ConformanceFailure extends Error {
  override readonly name = "ConformanceFailure";
}

/** Throws a {@link ConformanceFailure} unless `good`. */
export function must(good: boolean, message: string): asserts good {
  if (!good) throw new ConformanceFailure(message);
}

/** A system that runs for one case, and contexts to call the connector with. */
export interface Bench<T> {
  readonly running: RunningSystem<T>;
  readonly system: T;
  readonly context: (options?: Partial<TestContextOptions>) => Promise<TestContext>;
}

/** Starts the system, runs the work, stops the system again. */
export async function withBench<T>({ connector, options }: Subject<T>, work: (bench: Bench<T>) => Promise<void>): Promise<void> {
  const running = await options.server.start();
  try {
    const config = options.config.valid({ url: running.url, system: running.system });
    await work({
      running,
      system: running.system,
      context: (more = {}) => testContext(connector, { config, secrets: options.secrets.valid, ...more }),
    });
  } finally {
    await running.stop();
  }
}

/** The same, with something to read and to list in the system. */
export async function withFilledBench<T>(subject: Subject<T>, work: (bench: Bench<T>) => Promise<void>): Promise<void> {
  const { read, reconcile, catalog } = subject.options;
  await withBench(subject, async (bench) => {
    if (subject.connector.read !== undefined) await read?.seed(bench.system, SEED_ROWS);
    if (subject.connector.reconcile !== undefined) await reconcile?.source?.seed(bench.system, SEED_ROWS);
    if (subject.connector.catalog !== undefined) await catalog?.seed?.(bench.system, catalog.things);
    await work(bench);
  });
}

/** The branded error that a promise rejects with. Fails if it resolves, or rejects with anything else. */
export async function rejected(what: string, work: Promise<unknown>): Promise<ConnectorError> {
  let found: unknown;
  try {
    found = await work;
  } catch (thrown) {
    if (isConnectorError(thrown)) return thrown as ConnectorError;
    throw new ConformanceFailure(
      `${what} threw ${String(thrown)}, which is no ConnectorError and counts as a bug. Classify it: httpError, networkError and readText do the usual cases.`,
      { cause: thrown },
    );
  }
  throw new ConformanceFailure(`${what} succeeded${found === undefined ? "" : ` with ${show(found)}`}, expected an error.`);
}

/** Fails unless the promise rejects with one of the kinds. */
export async function rejectedAs(what: string, kinds: readonly ErrorKind[], work: Promise<unknown>): Promise<ConnectorError> {
  const error = await rejected(what, work);
  must(kinds.includes(error.kind), `${what} threw ${error.kind} ("${error.message}"), expected ${kinds.join(" or ")}.`);
  return error;
}

/** A value for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Something that the connector does without changing the system. */
export interface Operation {
  readonly name: string;
  /** Its answer says what is in the body of the system's answer, so that a body that is none must be an error. */
  readonly readsBody: boolean;
  readonly run: (x: Context) => Promise<unknown>;
}

/** The operations of a connector that only look. */
export function operationsOf<T>(subject: Subject<T>): readonly Operation[] {
  const { connector, options } = subject;
  const { alerts, calendar, downtime, reconcile, tracker } = connector;
  const { read } = options;
  const compared = { stream: comparedStream(subject), fields: options.reconcile?.fields ?? [] };
  const compares = compared.fields.length > 0;
  const request = { stream: read?.stream ?? "", cursor: null, pageSize: 100 };
  const found: Operation[] = [];
  const add = (name: string, present: boolean, run: Operation["run"]): void => {
    if (present) found.push({ name, readsBody: name !== "check", run });
  };
  add("check", connector.check !== undefined, async (x) => connector.check?.(x));
  add("streams", connector.streams !== undefined, async (x) => connector.streams?.(x));
  add("read", read !== undefined && connector.read !== undefined, async (x) => allOf(connector.read?.(x, request)));
  add("listKeys", read !== undefined && connector.listKeys !== undefined, async (x) => allOf(connector.listKeys?.(x, request)));
  add("alerts.pull", alerts?.pull !== undefined, async (x) => allOf(alerts?.pull?.(x, { cursor: null })));
  add("downtime.list", downtime !== undefined, async (x) => downtime?.list(x));
  add("tracker.find", tracker !== undefined, async (x) => tracker?.find(x, { deduplicationKey: "none" }));
  add("calendar.changes", calendar !== undefined, async (x) => allOf(calendar?.changes(x, { ...CALENDAR_RANGE, cursor: null })));
  add("catalog", connector.catalog !== undefined, async (x) => allOf(connector.catalog?.(x, { cursor: null })));
  add("reconcile.count", compares && reconcile?.count !== undefined, async (x) => reconcile?.count?.(x, compared));
  add("reconcile.keys", compares && reconcile?.keys !== undefined, async (x) =>
    reconcile?.keys?.(x, { ...compared, after: undefined, limit: 100 }),
  );
  add("reconcile.digest", compares && reconcile?.digest !== undefined, async (x) => reconcile?.digest?.(x, { ...compared, buckets: 4 }));
  add("quota", connector.quota !== undefined, async (x) => connector.quota?.(x));
  return found;
}

const MAX_PAGES = 1_000;
const DAY_MS = 86_400_000;

/** The thirty days behind the virtual clock: what calendars are asked for. */
export const CALENDAR_RANGE = { from: TEST_NOW.toISOString(), to: new Date(TEST_NOW.getTime() + 30 * DAY_MS).toISOString() } as const;

/** The stream whose records are compared. */
export function comparedStream<T>({ options }: Subject<T>): string {
  return options.reconcile?.source?.stream ?? options.read?.stream ?? "";
}

/** The only case of a suite that does not know the system: a facet that nobody describes would look like one that passed. */
export function optionsMissing(suite: SuiteName, why: string): SuiteCases {
  const run = async (): Promise<never> => Promise.reject(new ConformanceFailure(`options.${suite} is missing: ${why}.`));
  return [{ suite, name: `${suite}: options are given`, run }];
}

/** Every page up to the one that says `more: false`. */
export async function allOf<P extends { readonly more: boolean }>(pages: AsyncIterable<P> | undefined): Promise<readonly P[]> {
  const found: P[] = [];
  for await (const page of pages ?? []) {
    found.push(page);
    if (!page.more) break;
    must(found.length < MAX_PAGES, `${MAX_PAGES} pages came, and none said more: false.`);
  }
  return found;
}

/** Secrets that were given, or a failure that names what is missing. */
export function neededSecrets<T>({ options }: Subject<T>, name: "wrong" | "readOnly" | "rotated", why: string): JsonObject {
  const found = options.secrets[name];
  must(found !== undefined, `options.secrets.${name} is missing: ${why}.`);
  return found;
}
