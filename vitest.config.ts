import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests run on the sources. */
const alias = [
  { find: /^@quiesce\/core$/, replacement: source("packages/core/src/index.ts") },
  { find: /^@quiesce\/sdk$/, replacement: source("packages/sdk/src/index.ts") },
  { find: /^@quiesce\/sdk\/testing$/, replacement: source("packages/sdk/src/testing/index.ts") },
  { find: /^@quiesce\/connectors$/, replacement: source("packages/connectors/src/index.ts") },
  { find: /^@quiesce\/client$/, replacement: source("packages/client/src/index.ts") },
  { find: /^@quiesce\/server$/, replacement: source("packages/server/src/index.ts") },
  // Two copies of graphql (CommonJS and ESM) refuse each other's schemas.
  { find: /^graphql$/, replacement: source("node_modules/graphql/index.js") },
  // Plain Node gets the CommonJS build; vite alone would take the "module" one, which has no default export.
  { find: /^rrule$/, replacement: source("node_modules/rrule/dist/es5/rrule.js") },
];

/**
 * Files that take minutes, most of it waiting: they go first, the longest before the others. In a fresh checkout vitest knows no durations and goes by the
 * size of files, by which some of these begin late and run on, for minutes, with nobody beside them.
 */
const longest = [
  "test/integration/kill-sync.test.ts",
  "test/integration/target-away.test.ts",
  "test/integration/tryton-window.test.ts",
  "test/connectors/postgres-conformance.test.ts",
  "packages/server/src/cli/exec/exec.test.ts",
  "packages/server/src/backup/backup.test.ts",
].map(source);
for (const path of longest) if (!existsSync(path)) throw new Error(`${path} is to run first, and is not there: vitest.config.ts names it.`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => (longest.includes(moduleId) ? longest.indexOf(moduleId) : longest.length);
    // oxlint-disable-next-line unicorn/no-array-sort -- The sequencer's own method, which is no array's.
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

/** One cluster for all projects of a run; see test/database. Two cores are half idle with two of these files, which wait for leases and servers. */
const withDatabase = { globalSetup: ["test/database/global-setup.ts"], testTimeout: 300_000, hookTimeout: 300_000, maxWorkers: 3 };
/** Suites that measure time run alone. */
const alone = { maxWorkers: 1, testTimeout: 600_000, hookTimeout: 600_000 };

/** Suites that mostly wait for a system of their own, or for a browser. */
const waiting = { ...alone, maxWorkers: 3 };

/** Property tests think for a minute on a busy machine. Files of pure functions share their modules: loading them anew took half the time. */
const pure = { testTimeout: 300_000, hookTimeout: 300_000, isolate: false };

/** What comes about in a moment takes longer than vitest's one second on a busy machine. */
const patient = { poll: { timeout: 60_000 } };

const projects = [
  {
    name: "unit",
    include: ["packages/{core,sdk,connectors,create-connector,client,dashboard}/src/**/*.test.ts", "test/bench/*.test.mjs"],
    ...pure,
  },
  { name: "windows", include: ["test/windows/*.test.ts"], ...pure },
  { name: "architecture", include: ["test/architecture/*.test.ts"], testTimeout: 300_000 },
  { name: "server", include: ["packages/server/src/**/*.test.ts", "test/client/*.test.ts"], ...withDatabase },
  { name: "connectors", include: ["test/connectors/*.test.ts"], ...withDatabase },
  { name: "docs", include: ["test/docs/*.test.ts"], ...withDatabase },
  { name: "simulation", include: ["test/simulation/*.test.ts"], ...withDatabase, ...alone, maxWorkers: 2 },
  { name: "integration", include: ["test/systems/*.test.ts", "test/integration/*.test.ts"], ...withDatabase, ...waiting },
  { name: "lifecycle", include: ["test/lifecycle/*.test.ts"], ...alone },
  { name: "race", include: ["test/race/*.test.ts"], ...withDatabase, ...alone },
  { name: "browser", include: ["test/browser/*.test.ts"], ...withDatabase, ...waiting, maxWorkers: 2 },
];

export default defineConfig({
  resolve: { alias },
  // Projects follow one another: they differ in their number of workers.
  test: {
    sequence: { sequencer: LongestFirst },
    projects: projects.map((test, groupOrder) => ({ extends: true, test: { expect: patient, ...test, sequence: { groupOrder } } })),
  },
});
