export { DomainError, type ErrorDetails } from "./domain-error.js";
export {
  covered,
  softlyAffected,
  unknownScopeNames,
  type CatalogFacts,
  type CoveragePath,
  type CoveredIntegration,
  type DependencyStrength,
  type SoftlyAffectedIntegration,
} from "./catalog/coverage.js";
export { canonicalScope, isEmptyScope, SCOPE_MAX_NAMES, windowScopeSchema, type WindowScope } from "./catalog/window-scope.js";
export { SLUG_PATTERN, slugSchema, tagSchema } from "./catalog/slug.js";
export { applyMapping, type MappingError, type MappingResult } from "./mapping/apply-mapping.js";
export { CASTS, mappingSchema, type Cast, type FieldRule, type Mapping } from "./mapping/mapping-schema.js";
export { sharedTableValues, validateMapping, type MappingCheck, type MappingProblem } from "./mapping/validate-mapping.js";
export {
  occurrences,
  occurrenceInstants,
  occurrenceInstantsBetween,
  describeOccurrence,
  type Occurrence,
  type OccurrenceInstants,
} from "./windows/occurrences.js";
export { windowAt, compiledWindowAt, type WindowAt } from "./windows/window-at.js";
export {
  compileSeries,
  visitSeriesStarts,
  windowSeriesSchema,
  DST_POLICIES,
  MAX_EXCEPTION_DATES,
  type CompiledSeries,
  type DstPolicy,
  type OccurrenceLength,
  type WindowSeries,
} from "./windows/window-series.js";
export { packagedZoneData, packagedZoneFileBytes } from "./time/packaged-zone-data.js";
export { compareZoneDataVersions, lazyZoneData, newerZoneData, parseZoneData, requireZone, type ZoneData } from "./time/zone-data.js";
export { zoneFromOffsets, zoneFromTransitions, type Zone, type ZoneTransition } from "./time/zone.js";
export { localAt, offsetAt, resolveLocal, rfcInstant, type ResolvedLocal } from "./time/resolve-local.js";
export { formatLocal, parseLocal, parseLocalDate } from "./time/local-time.js";
export { parseDuration, type Duration } from "./time/duration.js";
export { intersectIntervals, intervalsCover, mergeIntervals, subtractIntervals, uniteIntervals, type Interval } from "./time/intervals.js";
export { parseRecurrenceRule, type RecurrenceRule } from "./time/recurrence-rule.js";
export {
  endOnNextDay,
  validateWindowSeries,
  LONG_WINDOW_DAYS,
  MAX_OCCURRENCES,
  OCCURRENCES_PERIOD_DAYS,
} from "./windows/validate-series.js";
export { type Refusal } from "./time/recurrence-refusals.js";
export { jobScheduleSchema, type JobSchedule } from "./schedules/job-schedule.js";
export { dueTimes, nextDueAt, type DueTime } from "./schedules/due-times.js";
export { parseCronExpression, type CronExpression } from "./schedules/cron-expression.js";
export { validateJobSchedule } from "./schedules/validate-job-schedule.js";
export { occurrenceState, occurrenceStates, type OccurrenceFacts, type OccurrenceState } from "./windows/occurrence-state.js";
export { keyFromTitle, windowInputSchema, windowModes, type WindowInput, type WindowMode } from "./windows/window-input.js";
export {
  catchUpPolicies,
  isTerminal,
  mayBecome,
  runStates,
  runTransitions,
  runTriggers,
  type CatchUp,
  type RunState,
  type RunTrigger,
} from "./runs/run-state.js";
export {
  maxWaitingRuns,
  misfireGraceMs,
  planDues,
  planUntil,
  type Due,
  type DuePlan,
  type PlannedRun,
  type WaitingRun,
} from "./runs/plan-dues.js";
export { planCatchUp, type CatchUpStep, type ReleasedRun } from "./runs/plan-catch-up.js";
export { decideRetry, defaultRetryPolicy, type RetryPolicy, type RetryVerdict, type RunFailure } from "./runs/decide-retry.js";
export { type AccessScope, type Action, actions, can, type Principal, type Resource, type Role, roles } from "./access/can.js";
export { durationSchema, formatDuration, parseDurationMs } from "./catalog/duration-text.js";
export { nearestName } from "./catalog/nearest-name.js";
export { equalJson, sortedJson } from "./catalog/sorted-json.js";
export {
  CRITICALITIES,
  endpointSchema,
  integrationSchema,
  jobSchema,
  secretSchema,
  systemSchema,
  windowSchema,
  workspaceSchema,
  WORKSPACE_LIMITS,
  WORKSPACE_SECTIONS,
  type Criticality,
  type EndpointEntry,
  type IntegrationEntry,
  type JobEntry,
  type ScheduleText,
  type SecretEntry,
  type StreamEntry,
  type SystemEntry,
  type WindowEntry,
  type WorkspaceDocument,
  type WorkspaceInput,
  type WorkspaceSection,
} from "./catalog/workspace-schema.js";
export { minimalEntry, minimalWorkspace, parseWorkspace, type ParsedWorkspace } from "./catalog/workspace-document.js";
export { MAX_PROBLEMS, pathText, problemsOfParse, workspaceProblem, type WorkspaceProblem } from "./catalog/workspace-problem.js";
export { usersOf, workspaceProblems } from "./catalog/workspace-references.js";
export {
  diffWorkspaces,
  KIND_OF_SECTION,
  NEW_SECRET_VALUE,
  type FieldChange,
  type SettledEndpoint,
  type SettledSecret,
  type SettledWorkspace,
  type WorkspaceChange,
  type WorkspaceKind,
} from "./catalog/workspace-diff.js";
export { jobScheduleOf, scheduleTextOf } from "./catalog/job-schedule-text.js";
export { windowEntryOf, windowInputOf, windowSeriesOf } from "./catalog/window-entry.js";
export { explainJobFacts, jobStates, type JobExplanation, type JobFacts, type JobState } from "./runs/explain-job.js";
export { compileTimeline, type HoldSpans, type HoldTimeline } from "./windows/compile-holds.js";
export { HoldIndex, type IndexedIntegration } from "./windows/hold-index.js";
export { dispatchVerdict, type Verdict } from "./windows/verdict.js";
export { describeInstant, formatLocalForPeople, type PeopleFormat } from "./time/format-local.js";
