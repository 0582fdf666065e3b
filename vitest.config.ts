import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

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

/** One cluster for all projects of a run; see test/database. */
const withDatabase = { globalSetup: ["test/database/global-setup.ts"], testTimeout: 90_000, hookTimeout: 90_000, maxWorkers: 2 };
/** Suites that measure time or share a machine's real systems run alone. */
const alone = { maxWorkers: 1, testTimeout: 180_000, hookTimeout: 120_000 };

/** Property tests think for seconds on a busy machine. */
const pure = { testTimeout: 60_000 };

const projects = [
  { name: "unit", include: ["packages/{core,sdk,connectors,create-connector,client,dashboard}/src/**/*.test.ts"], ...pure },
  { name: "windows", include: ["test/windows/*.test.ts"], ...pure },
  { name: "architecture", include: ["test/architecture/*.test.ts"] },
  { name: "server", include: ["packages/server/src/**/*.test.ts", "test/client/*.test.ts"], ...withDatabase },
  { name: "connectors", include: ["test/connectors/*.test.ts"], ...withDatabase },
  { name: "docs", include: ["test/docs/*.test.ts"], ...withDatabase },
  { name: "simulation", include: ["test/simulation/*.test.ts"], ...withDatabase, ...alone, maxWorkers: 2 },
  { name: "integration", include: ["test/systems/*.test.ts", "test/integration/*.test.ts"], ...withDatabase, ...alone },
  { name: "lifecycle", include: ["test/lifecycle/*.test.ts"], ...alone },
  { name: "race", include: ["test/race/*.test.ts"], ...withDatabase, ...alone },
  { name: "browser", include: ["test/browser/*.test.ts"], ...withDatabase, ...alone },
];

export default defineConfig({
  resolve: { alias },
  // Projects follow one another: they differ in their number of workers.
  test: { projects: projects.map((test, groupOrder) => ({ extends: true, test: { ...test, sequence: { groupOrder } } })) },
});
