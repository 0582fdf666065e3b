import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests run on the sources; `test/built` proves the built output with plain Node. */
const alias = [
  { find: /^@quiesce\/core$/, replacement: source("packages/core/src/index.ts") },
  { find: /^@quiesce\/sdk$/, replacement: source("packages/sdk/src/index.ts") },
  { find: /^@quiesce\/sdk\/testing$/, replacement: source("packages/sdk/src/testing/index.ts") },
  { find: /^@quiesce\/connectors$/, replacement: source("packages/connectors/src/index.ts") },
  { find: /^@quiesce\/server$/, replacement: source("packages/server/src/index.ts") },
  // Two copies of graphql (CommonJS and ESM) refuse each other's schemas.
  { find: /^graphql$/, replacement: source("node_modules/graphql/index.js") },
  // Plain Node gets the CommonJS build; vite alone would take the "module" one, which has no default export.
  { find: /^rrule$/, replacement: source("node_modules/rrule/dist/es5/rrule.js") },
];

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/{core,sdk,connectors}/src/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "server",
          include: ["packages/server/src/**/*.test.ts"],
          globalSetup: ["test/database/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      { extends: true, test: { name: "windows", include: ["test/windows/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "connectors",
          include: ["test/connectors/*.test.ts"],
          globalSetup: ["test/database/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/systems/*.test.ts", "test/integration/*.test.ts"],
          globalSetup: ["test/database/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
      {
        extends: true,
        test: { name: "lifecycle", include: ["test/lifecycle/*.test.ts"], testTimeout: 120_000, hookTimeout: 60_000, maxWorkers: 1 },
      },
      {
        extends: true,
        test: {
          name: "simulation",
          include: ["test/simulation/*.test.ts"],
          globalSetup: ["test/database/global-setup.ts"],
          hookTimeout: 60_000,
          maxWorkers: 1,
        },
      },
      {
        extends: true,
        test: {
          name: "race",
          include: ["test/race/*.test.ts"],
          globalSetup: ["test/database/global-setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
      {
        extends: true,
        test: {
          name: "docs",
          include: ["test/docs/*.test.ts"],
          globalSetup: ["test/database/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      { extends: true, test: { name: "architecture", include: ["test/architecture/*.test.ts"] } },
    ],
  },
});
