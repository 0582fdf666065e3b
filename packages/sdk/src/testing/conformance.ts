import type { Connector } from "../index.js";
import { ConformanceFailure, SUITES, type ConformanceCase, type SuiteCases, type SuiteName } from "./conformance-case.js";
import type { ConformanceOptions, Subject } from "./conformance-options.js";
import { alertsCases } from "./suites/alerts.js";
import { calendarCases } from "./suites/calendar.js";
import { cancelCases } from "./suites/cancel.js";
import { catalogCases } from "./suites/catalog.js";
import { checkCases } from "./suites/check.js";
import { downtimeCases } from "./suites/downtime.js";
import { egressCases } from "./suites/egress.js";
import { limitsCases } from "./suites/limits.js";
import { manifestCases } from "./suites/manifest.js";
import { migrationCases } from "./suites/migration.js";
import { notifyCases } from "./suites/notify.js";
import { quotaCases } from "./suites/quota.js";
import { readCases } from "./suites/read.js";
import { reconcileCases } from "./suites/reconcile.js";
import { rotateCases } from "./suites/rotate.js";
import { trackerCases } from "./suites/tracker.js";
import { webhookCases } from "./suites/webhook.js";
import { writeCases } from "./suites/write.js";

const CASES: { readonly [suite in SuiteName]: <T>(subject: Subject<T>) => SuiteCases } = {
  manifest: manifestCases,
  migration: migrationCases,
  check: checkCases,
  read: readCases,
  write: writeCases,
  cancel: cancelCases,
  limits: limitsCases,
  egress: egressCases,
  alerts: alertsCases,
  webhook: webhookCases,
  downtime: downtimeCases,
  tracker: trackerCases,
  rotate: rotateCases,
  calendar: calendarCases,
  catalog: catalogCases,
  quota: quotaCases,
  notify: notifyCases,
  reconcile: reconcileCases,
};

/** Something that is not tested, and why. */
export interface SkippedCase {
  /** The suite, or the full name of a case. */
  readonly name: string;
  readonly why: string;
}

/** The time for one case in milliseconds. */
export const CASE_TIMEOUT_MS = 60_000;

/** Everything that a connector must do with these options: the cases, and what is left out with the reason. */
export function conformanceCases<C, S, T>(
  connector: Connector<C, S>,
  options: ConformanceOptions<T>,
): { readonly cases: readonly ConformanceCase[]; readonly skipped: readonly SkippedCase[] } {
  const subject: Subject<T> = { connector, options };
  const cases: ConformanceCase[] = [];
  const skipped: SkippedCase[] = [];
  const except = new Map(Object.entries(options.except ?? {}));
  for (const suite of SUITES) {
    const found = CASES[suite](subject);
    if ("skipped" in found) {
      skipped.push({ name: suite, why: found.skipped });
      continue;
    }
    for (const one of found) {
      const why = except.get(one.name);
      if (why === undefined) cases.push({ ...one, run: () => watched(one) });
      else skipped.push({ name: one.name, why });
      except.delete(one.name);
    }
  }
  const unknown = [...except.keys()];
  if (unknown.length > 0) throw new ConformanceFailure(`options.except names cases that there are not: ${unknown.join("; ")}.`);
  return { cases, skipped };
}

/** Runs a case and fails for a rejection that nobody has caught: at a host it would end the process. */
async function watched(one: ConformanceCase): Promise<void> {
  const uncaught: unknown[] = [];
  const note = (reason: unknown): void => void uncaught.push(reason);
  process.on("unhandledRejection", note);
  try {
    await one.run();
    // Node tells of such rejections after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", note);
  }
  if (uncaught.length > 0)
    throw new ConformanceFailure(`A promise was rejected and nobody caught it: ${String(uncaught[0])}`, { cause: uncaught[0] });
}

/** What a test runner gives: `describe` and `it` of vitest and of node:test both fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, options: { readonly timeout: number }, body: () => Promise<void>) => unknown;
}

/**
 * Makes tests of everything that a connector must do. The runner is given (`import { describe, it } from "node:test"`), or its globals are taken. A suite runs
 * only where its facet is.
 *
 * @example
 * import { describe, it } from "vitest";
 * conformance(connector, { describe, it, server: fake(createOrders), config, secrets, read });
 */
export function conformance<C, S, T>(connector: Connector<C, S>, options: ConformanceOptions<T> & Partial<TestRunner>): void {
  const { describe, it } = runnerOf(options);
  const { cases, skipped } = conformanceCases(connector, options);
  const left = skipped.map(({ name, why }) => `${name} (${why})`).join("; ");
  // Whoever reads the output, `quiesce-connector verify` too, sees that the kit was there, and what it has not looked at.
  process.stdout.write(`${conformanceLine(connector)}: ${cases.length} cases. Not tested: ${left === "" ? "nothing" : left}\n`);
  for (const suite of SUITES) {
    const own = cases.filter((one) => one.suite === suite);
    if (own.length === 0) continue;
    describe(`${connector.id} conforms in ${suite}`, () => {
      for (const one of own) it(one.name.slice(suite.length + 2), { timeout: CASE_TIMEOUT_MS }, () => one.run());
    });
  }
}

/** How the line begins by which a run of the kit is known. */
export function conformanceLine({ id, version }: { readonly id: string; readonly version: string }): string {
  return `Conformance of ${id} ${version}`;
}

function runnerOf(options: Partial<TestRunner>): TestRunner {
  const { describe, it } = options;
  if (describe !== undefined && it !== undefined) return { describe, it };
  const [group, test]: readonly unknown[] = [Reflect.get(globalThis, "describe"), Reflect.get(globalThis, "it")];
  if (typeof group === "function" && typeof test === "function")
    return { describe: group as TestRunner["describe"], it: test as TestRunner["it"] };
  throw new ConformanceFailure(
    'conformance found no test runner. Give it one: import { describe, it } from "vitest" (or from "node:test"), then conformance(connector, { describe, it, ... }).',
  );
}
