/** What tests of a connector need. Not part of what a connector runs with. */
export { conformance, conformanceCases, CASE_TIMEOUT_MS, type SkippedCase, type TestRunner } from "./conformance.js";
export { ConformanceFailure, SUITES, type ConformanceCase, type SuiteName } from "./conformance-case.js";
export type {
  AlertsOptions,
  CalendarOptions,
  CatalogOptions,
  CatalogThing,
  ConformanceOptions,
  DowntimeOptions,
  NotifyOptions,
  PlannedChange,
  QuotaOptions,
  ReadOptions,
  ReconcileOptions,
  SecretsUnderTest,
  SeedRow,
  ShownMessage,
  TrackerOptions,
  WebhookOptions,
  WriteOptions,
} from "./conformance-options.js";
export { runConformance, type CaseResult, type ConformanceReport } from "./run-conformance.js";
export { manifestDifferences } from "./manifest-differences.js";
export { fake, real, type FakeSystem, type RunningSystem, type StartedSystem, type SystemUnderTest } from "./system-under-test.js";
export { startFaultServer, type FakeAnswer, type Fault, type FaultCondition, type FaultServer, type SeenRequest } from "./fault-server.js";
export { startFaultProxy, type FaultProxy, type ProxyFault } from "./fault-proxy.js";
export { RESPONSE_MAX_BYTES } from "./test-fetch.js";
export {
  TEST_NOW,
  testContext,
  type LoggedLine,
  type RecordedMetric,
  type StoredValue,
  type TestContext,
  type TestContextOptions,
} from "./test-context.js";
export { exampleConnector, exampleOptions } from "./example/example-connector.js";
export { mutants } from "./mutants/mutants.js";
export type { Mutant } from "./mutants/mutant.js";
