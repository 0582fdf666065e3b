import type { Connector } from "../index.js";
import { CASE_TIMEOUT_MS, conformanceCases, type SkippedCase } from "./conformance.js";
import { ConformanceFailure, type SuiteName } from "./conformance-case.js";
import type { ConformanceOptions } from "./conformance-options.js";

/** What became of one case. */
export interface CaseResult {
  readonly suite: SuiteName;
  readonly name: string;
  /** What was found and expected; absent if the case passed. */
  readonly failure?: string;
}

/** What became of all. */
export interface ConformanceReport {
  readonly connector: string;
  readonly version: string;
  readonly results: readonly CaseResult[];
  readonly skipped: readonly SkippedCase[];
}

/** Runs the cases without a test runner, one after the other; of all suites if none is named. Never throws for what fails. */
export async function runConformance<C, S, T>(
  connector: Connector<C, S>,
  options: ConformanceOptions<T>,
  suites?: readonly SuiteName[],
): Promise<ConformanceReport> {
  const { cases, skipped } = conformanceCases(connector, options);
  const results: CaseResult[] = [];
  for (const one of cases) {
    if (suites !== undefined && !suites.includes(one.suite)) continue;
    const { suite, name } = one;
    try {
      await inTime(one.run());
      results.push({ suite, name });
    } catch (thrown) {
      results.push({ suite, name, failure: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }
  return { connector: connector.id, version: connector.version, results, skipped };
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ConformanceFailure(`It took longer than ${CASE_TIMEOUT_MS} ms.`)), CASE_TIMEOUT_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
