export { DomainError, type ErrorDetails } from "./domain-error.js";
export {
  affectedSystems,
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
export { applyMapping, hasExpressions, mapperOf, type MappingError, type MappingResult } from "./mapping/apply-mapping.js";
export { CASTS, mappingSchema, type Cast, type FieldRule, type Mapping } from "./mapping/mapping-schema.js";
export { EXPRESSION_LIMITS } from "./mapping/expression.js";
export { traceRetentionDays } from "./retention/trace-retention.js";
export { keyHash } from "./mapping/key-hash.js";
export { compareMappings, type MappingDifference } from "./mapping/compare-mappings.js";
export {
  isInCanary,
  isTrialComplete,
  judgeCanary,
  noTrialFigures,
  TRIAL_LIMITS,
  trialKinds,
  trialStates,
  type TrialFigures,
  type TrialKind,
  type TrialSettings,
  type TrialState,
  type TrialVerdict,
} from "./mapping/mapping-trial.js";
export {
  checkDefinition,
  checkMappings,
  triedStreams,
  type CandidateCheck,
  type TrialCandidate,
  type TriedStreams,
} from "./mapping/trial-candidate.js";
export { validateMapping, type MappingCheck, type MappingProblem } from "./mapping/validate-mapping.js";
export { CONFLICT_RULES, type ConflictRule, type TwoWay } from "./mapping/two-way-schema.js";
export { reverseValue, type ReversedValue } from "./mapping/reverse-value.js";
export {
  hasUnagreedChange,
  mergeFields,
  type FieldConflict,
  type FieldValues,
  type MergeFacts,
  type MergeVerdict,
  type SameValue,
} from "./mapping/merge-fields.js";
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
  withHolidays,
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
export { parseInstantText } from "./time/instant-text.js";
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
export { movedDues, type MovedDue } from "./schedules/moved-dues.js";
export { movedOccurrences, type WrittenOccurrence } from "./windows/moved-occurrences.js";
export { jobScheduleSchema, type JobSchedule } from "./schedules/job-schedule.js";
export { dueTimes, nextDueAt, type DueTime } from "./schedules/due-times.js";
export { parseCronExpression, type CronExpression } from "./schedules/cron-expression.js";
export { validateJobSchedule } from "./schedules/validate-job-schedule.js";
export { occurrenceState, occurrenceStates, type OccurrenceFacts, type OccurrenceState } from "./windows/occurrence-state.js";
export {
  defaultDrainPolicy,
  drainEndings,
  drainPolicySchema,
  type DrainEnding,
  type DrainPolicy,
  type DrainPolicyInput,
} from "./windows/drain-policy.js";
export { defaultResumePolicy, resumePolicySchema, type ResumePolicy, type ResumePolicyInput } from "./windows/resume-policy.js";
export { isReady, readinessRetryMs, systemsToCheck, type ReadinessAnswer, type RouteFacts } from "./windows/decide-readiness.js";
export {
  resumePhases,
  resumeProgress,
  type ResumeFactsOfOccurrence,
  type ResumePhase,
  type ResumeProgress,
} from "./windows/resume-progress.js";
export {
  announceDowntimeLeadMs,
  decideAnnouncements,
  type AnnounceReason,
  type AnnouncementStep,
  type BegunDowntime,
  type ListedDowntime,
  type WantedDowntime,
} from "./windows/decide-announcements.js";
export { downtimeEffects, type DowntimeEffect, type MonitoredBy } from "./catalog/monitor-schema.js";
export { decideCanaries, type CanariesOfSystem, type CanaryVerdict } from "./windows/decide-canaries.js";
export { findConflicts, type Conflict, type Conflicts } from "./windows/find-conflicts.js";
export {
  freezesMet,
  nearestFreeStart,
  refusalInFreeze,
  type FreezeOccurrence,
  type MetFreeze,
  type PlannedOccurrence,
} from "./windows/freezes.js";
export {
  decideInFreeze,
  type FreezeAsker,
  type FreezeCause,
  freezeCauses,
  type FreezeVerdict,
  meetingOf,
  movedElsewhere,
  newlyMet,
} from "./windows/decide-in-freeze.js";
export { previewNoticeKinds, previewNotices, type PreviewNotice } from "./windows/preview-notices.js";
export { undecidedFreezeSentence } from "./windows/undecided-freeze.js";
export { rankSlots, type AllowedHours, type PlannedWork, type RankedSlots, type Slot } from "./windows/rank-slots.js";
export {
  minTunedOccurrences,
  suggestLength,
  tuneWindow,
  tuningAdvice,
  type UsedOccurrence,
  type WindowTuning,
} from "./windows/tune-window.js";
export {
  monthsOf,
  plannedAvailability,
  type CalendarMonth,
  type PlannedAvailability,
  type PlannedDowntime,
} from "./windows/planned-availability.js";
export { reachOfScope, sharedReach, type Reach, type SharedReach } from "./windows/shared-reach.js";
export { countDues } from "./schedules/count-dues.js";
export { catchUpOfGap, type GapCatchUp } from "./runs/catch-up-of-gap.js";
export { forecastBacklog, type BacklogForecast, type BacklogJob, type BacklogSystem, type DrainTime } from "./runs/forecast-backlog.js";
export { planRamp, type RampPlan, type RampSystem } from "./runs/plan-ramp.js";
export { resumeOrder, upstreamRanks, type ResumeFacts, type ResumingIntegration } from "./catalog/resume-order.js";
export { estimateDuration, maxDurationSamples, minDurationSamples, type DurationEstimate } from "./runs/estimate-duration.js";
export {
  approvalPolicySchema,
  holidayCalendarSchema,
  type ApprovalPolicyEntry,
  type HolidayCalendarEntry,
} from "./catalog/planning-schema.js";
export { fittingPolicies, type ApprovalPolicy, type PlannedReach } from "./windows/approval-policy.js";
export {
  approvalOnSave,
  approvalStates,
  decideApproval,
  needsApprovalAgain,
  speaksForAll,
  type ApprovalState,
  type WindowApproval,
} from "./windows/window-approval.js";
export { changeSeries, type SeriesChanges } from "./windows/change-series.js";
export { splitSeries, type SplitSeries } from "./windows/split-series.js";
export { type BusinessDayRule, type HolidayShift } from "./windows/business-days.js";
export { windowKindEffects, windowKinds, type HoldCoverage, type WindowKind } from "./windows/window-kinds.js";
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
export { judgeClock, type ClockReading, type ClockReference, type ClockVerdict, type ProcessMoment } from "./runs/judge-clock.js";
export {
  daysToHave,
  expiredDays,
  judgeDay,
  retainedTables,
  retentionCutoff,
  retentionDays,
  type DayContents,
  type DayPartition,
  type RetainedTable,
} from "./retention/plan-retention.js";
export { judgeDeletions, type DeleteLimit, type DeletionVerdict } from "./runs/judge-deletions.js";
export { describeEnding, type EndingFacts } from "./runs/describe-ending.js";
export { decideRetry, defaultRetryPolicy, type RetryPolicy, type RetryVerdict, type RunFailure } from "./runs/decide-retry.js";
export {
  type Action,
  actions,
  can,
  canEverywhere,
  describeGrants,
  type Grant,
  maxGrants,
  type Principal,
  readGrants,
  type Role,
  roles,
  scopesFor,
} from "./access/can.js";
export { formatGrant, grantForm, parseGrant } from "./access/grant-text.js";
export {
  type AccessScope,
  covers,
  describeScope,
  type IntegrationFacts,
  type Resource,
  type ScopeKind,
  scopeKinds,
  type SystemFacts,
} from "./access/scope.js";
export { claimedGrants, claimedName, type ClaimMapping, parseClaimMapping } from "./access/claimed-grants.js";
export {
  type AccessTally,
  countAccess,
  type CountedAccess,
  judgeArrival,
  type KnownNetwork,
  type UnusualAccess,
  unusualCounts,
} from "./access/judge-access.js";
export {
  type AccessDecision,
  accessDecisions,
  type AccessFacts,
  type AccessFinding,
  accessFindings,
  type AccessSubject,
  accessSubjects,
  type AccessSuggestion,
  firstDecision,
  suggestForAccess,
  unusedDaysRange,
} from "./access/suggest-for-access.js";
export { type DecidedItem, isOwnAccess, judgeDecision, locksEverybodyOut, type Reviewer, type WayIn } from "./access/judge-decision.js";
export { areWithin } from "./access/narrowest-grants.js";
export { reviewHash } from "./access/review-evidence.js";
export { afterFailure, type FailureCount, type FailureRule, remainingWaitMs } from "./access/failure-lock.js";
export { type Asker, isOwnPage } from "./access/own-page.js";
export { returnPath } from "./access/return-path.js";
export { withinGrants } from "./access/within-grants.js";
export { durationSchema, formatDuration, parseDurationMs } from "./catalog/duration-text.js";
export { decideRestore, type RestoreFacts, type RestoreRefusal, type RestoreVerdict } from "./backup/decide-restore.js";
export { orderTables, type TableReference } from "./backup/order-tables.js";
export { canonicalHost, namesHost, privateHostsSchema } from "./catalog/private-host.js";
export {
  dueWarning,
  type EndpointFinding,
  endpointFindings,
  expirySeverity,
  findingKinds,
  type FindingKind,
  findingSeverities,
  type FindingSeverity,
  type OriginFacts,
  type SeenAuthentication,
  type TlsFacts,
  unseenKinds,
} from "./catalog/endpoint-findings.js";
export { nearestName } from "./catalog/nearest-name.js";
export { equalJson, sortedJson, sortedText } from "./catalog/sorted-json.js";
export { CRITICALITIES, type Criticality } from "./catalog/criticality.js";
export {
  endpointSchema,
  integrationSchema,
  jobSchema,
  streamSchema,
  systemSchema,
  windowSchema,
  workspaceSchema,
  WORKSPACE_LIMITS,
  WORKSPACE_SECTIONS,
  type EndpointEntry,
  type IntegrationEntry,
  type JobEntry,
  type ScheduleText,
  type StreamEntry,
  type SystemEntry,
  type WindowEntry,
  type WorkspaceDocument,
  type WorkspaceInput,
  type WorkspaceSection,
} from "./catalog/workspace-schema.js";
export { calendarSchema, type CalendarEntry } from "./catalog/calendar-schema.js";
export { secretSchema, type SecretEntry } from "./catalog/secret-schema.js";
export {
  EVERY_METRIC_KEY,
  retentionEntryOf,
  type SampleRetentionEntry,
  saidRetention,
  unsaidOf,
} from "./catalog/sample-retention-schema.js";
export { teamSchema, webhookSecretProblem, type TeamEntry } from "./catalog/team-schema.js";
export { minimalEntry, minimalWorkspace, parseWorkspace, type ParsedWorkspace } from "./catalog/workspace-document.js";
export { MAX_PROBLEMS, pathText, problemsOfParse, workspaceProblem, type WorkspaceProblem } from "./catalog/workspace-problem.js";
export { workspaceProblems } from "./catalog/workspace-references.js";
export { usersOf } from "./catalog/workspace-users.js";
export {
  diffWorkspaces,
  fieldChanges,
  KIND_OF_SECTION,
  NEW_SECRET_VALUE,
  type FieldChange,
  type SettledCalendar,
  type SettledEndpoint,
  type SettledSecret,
  type SettledTeam,
  type SettledWorkspace,
  type WorkspaceChange,
  type WorkspaceKind,
} from "./catalog/workspace-diff.js";
export { deduplicationHours, inboxLimits, type InboxLimits } from "./inbox/inbox-limits.js";
export { pushedRecords, type PushedRecord } from "./inbox/pushed-record.js";
export { decideAcceptance, type AcceptanceFacts, type AcceptanceVerdict } from "./inbox/decide-acceptance.js";
export { decideFailedRecord, type FailedRecordVerdict } from "./inbox/decide-failed-record.js";
export { decidePushRun, type LastPushRun, type PushRunVerdict } from "./inbox/decide-push-run.js";
export { jobScheduleOf, scheduleTextOf } from "./catalog/job-schedule-text.js";
export { windowEntryOf, windowInputOf, windowSeriesOf, type HolidayCalendars } from "./catalog/window-entry.js";
export { explainJobFacts, jobStates, type JobExplanation, type JobFacts, type JobState } from "./runs/explain-job.js";
export { compileTimeline, type HoldSpans, type HoldTimeline } from "./windows/compile-holds.js";
export { HoldIndex, type IndexedIntegration } from "./windows/hold-index.js";
export { dispatchVerdict, type Verdict } from "./windows/verdict.js";
export { describeInstant, formatLocalForPeople, type PeopleFormat } from "./time/format-local.js";
export { type JCalComponent, type JCalProperty, type JCalValue } from "./calendars/jcal.js";
export { calendarFeed, MAX_EVENTS_OF_FEED, type CalendarFeedInput } from "./calendars/calendar-feed.js";
export { MAX_EVENTS_OF_WINDOW, type CalendarWindow, type OccurrenceChange } from "./calendars/window-events.js";
export { feedScopeKinds, feedScopeSchema, feedShows, type FeedIntegration, type FeedScope } from "./calendars/feed-scope.js";
export { holidayDates, type HolidayDate } from "./calendars/holiday-dates.js";
export { planImport, type ImportPlan, type ImportSettings, type PlannedWindow } from "./calendars/plan-import.js";
export { UNREADABLE_PROPERTY, type EventName, type RefusedEvent } from "./calendars/read-events.js";
export { announceLeadMs, isTold, maxNamedIntegrations, windowMessage, type WindowMessageFacts } from "./notifications/window-message.js";
export { decideDelivery, deliveryPolicy, type DeliveryAnswer, type DeliveryVerdict } from "./notifications/decide-delivery.js";
export { importWindows, type ImportOrder, type ImportRemark, type WindowImport } from "./imports/import-windows.js";
export type { ForeignEntity, ForeignWindow, ImportFacts } from "./imports/foreign-window.js";
export { readMuteTiming } from "./imports/mute-timing.js";
export { muteTimingSeries } from "./imports/mute-timing-series.js";
export { readScopeMap, type ScopeMap } from "./imports/scope-map.js";
export {
  chainStart,
  erasedMark,
  erasureAction,
  type AuditDeed,
  type ChainPlace,
  type PersonalValue,
  type SealedEntry,
  type Sha256,
} from "./audit/audit-entry.js";
export { headProblem, headText, type AuditHead, type SignedHead } from "./audit/audit-head.js";
export { canonicalJson } from "./audit/canonical-json.js";
export { chainHash, sealDeeds } from "./audit/chain-hash.js";
export { nameOf, valuesToErase, type ErasureScope } from "./audit/erasure.js";
export { isLate } from "./audit/judge-lateness.js";
export { holdsWords, valueAt, withValues } from "./audit/personal-values.js";
export {
  chainProblemKinds,
  erasedValue,
  lateEntry,
  maxChainProblems,
  missing,
  orderedBy,
  verifyChain,
  type ChainCheck,
  type ChainProblem,
} from "./audit/verify-chain.js";
export {
  isEnded,
  isSwitched,
  mayTurn,
  rotationStates,
  rotationTransitions,
  rotationTriggers,
  type RotationState,
  type RotationTrigger,
} from "./credentials/rotation-state.js";
export {
  afterRefusal,
  afterSupersession,
  decideAfterStep,
  rotationPatience,
  type StepFacts,
  type StepResult,
  type StepVerdict,
} from "./credentials/decide-rotation-step.js";
export { overlapMs, rotationDue, rotationPolicySchema, type RotationFacts, type RotationPolicy } from "./credentials/rotation-policy.js";
export { credentialFindings } from "./credentials/credential-findings.js";
export { endpointMessage, usualEndpointMessages, type EndpointMessageFacts } from "./notifications/endpoint-message.js";
export { alertLimits, alertProblem, alertSeverities } from "./alerts/alert-problem.js";
export { type AlertSurroundings, type AlertWindow, alertStages, type RuleWords, throughStages } from "./alerts/alert-stages.js";
export { type AlertTopology, resourceNode, waysUp } from "./alerts/alert-topology.js";
export {
  type AlertReason,
  type AlertReasonKind,
  alertReasonKinds,
  joinsIncident,
  opensIncident,
  type PipedAlert,
} from "./alerts/piped-alert.js";
export { noticeText, type NoticeText } from "./notifications/notice-text.js";
export { incidentMessage, type IncidentMessageFacts, maxIncidentsOfMessage } from "./notifications/incident-message.js";
export { isRecurring, recurringWithinMs } from "./incidents/recurring.js";
export { decideNotice, type IncidentNotice } from "./incidents/decide-notice.js";
export { decideIncidentStep, type IncidentState, incidentStates, isLive } from "./incidents/incident-state.js";
export {
  type AlertGroup,
  type IncidentChange,
  type IncidentPlan,
  type KnownIncident,
  type NewIncident,
  planIncidents,
} from "./incidents/plan-incidents.js";
export { type ChangedField, type Episode, foldAlert, type FoldVerdict, type IncomingAlert } from "./alerts/fold-alert.js";
export {
  CORRELATION_TICK_MS,
  type CorrelatedAlert,
  type CorrelatedIncident,
  type CorrelationDecision,
  type CorrelationHistory,
  type CorrelationSetting,
  type QuietReason,
} from "./incidents/correlation.js";
export {
  correlationActions,
  type CorrelationRule,
  correlationRuleLimits,
  correlationRuleSchema,
  correlationRulesSchema,
  groupOf,
  judgeByRules,
  matchesRule,
  type RuleVerdict,
  usualCorrelationRule,
} from "./incidents/correlation-rule.js";
export { type TopologyNode } from "./incidents/correlation-topology.js";
export { Correlator } from "./incidents/correlator.js";
export { correlate } from "./incidents/correlate.js";
export { keptAfterEndMs, longestQuietMs, nextAlertLookAt } from "./incidents/next-alert-look.js";
export {
  Baseline,
  type BaselinePoint,
  type BaselineReading,
  baselineSettings,
  type BaselineState,
  type BaselineView,
  baselineViews,
} from "./kpis/baseline.js";
export { explainAnomaly } from "./kpis/explain-anomaly.js";
export { BACKTEST_MAX_ALERTS, type BacktestSide, backtestCorrelation, type CorrelationBacktest } from "./incidents/correlation-backtest.js";
export {
  agreedMaintenance,
  type MaintenanceAgreement,
  type MaintenanceReason,
  type MaintenanceVerdict,
  type PlannedMaintenance,
} from "./kpis/agreed-maintenance.js";
export { type AvailabilityFigures, availabilityOf, type NetAndGross, sumAvailability } from "./kpis/availability.js";
export { type EventRatio, eventRatio } from "./kpis/event-ratio.js";
export {
  addEncoded,
  emptyHistogram,
  encodeHistogram,
  encodeSlots,
  type Histogram,
  histogramOf,
  histogramSlot,
  quantileOf,
} from "./kpis/histogram.js";
export { baselineKpis, type Kpi, kpiDefinition, type KpiFigures, kpiFigures, kpis, type SampleSums } from "./kpis/kpi-definitions.js";
export { checkServiceHours, daysOf, type ServiceHours, serviceSchedule } from "./kpis/service-hours.js";
export {
  checkObjective,
  type ObjectiveIndicator,
  objectiveIndicators,
  objectiveLimits,
  type ObjectiveState,
  objectiveStates,
  type ObjectiveTerms,
} from "./kpis/objective.js";
export { availabilitySpans, cutIntervals, objectiveEvents, type ObjectiveSpan } from "./kpis/objective-events.js";
export { type BudgetDay, type BudgetFigures, errorBudget, objectiveState } from "./kpis/error-budget.js";
export { type BurnEvidence, type BurnRuleName, burnRules, type BurnVerdict, burnVerdicts, burnWindows } from "./kpis/burn-rate.js";
export {
  checkThreshold,
  foldThreshold,
  freshThreshold,
  type ThresholdChange,
  type ThresholdPoint,
  type ThresholdState,
  type ThresholdTerms,
} from "./kpis/threshold.js";
export { incidentTimes, type IncidentTimes, type TimesTaken } from "./kpis/incident-times.js";
export {
  type AccessSecurity,
  type EndpointSecurity,
  type SecurityPart,
  securityParts,
  type SecurityScore,
  securityScore,
} from "./kpis/security-score.js";
export { isMetric, markSample, readSample, type Sample, sampleLimits, type SampleMark, sampleMarks } from "./kpis/sample.js";
export {
  checkSampleRetention,
  isRetentionSettled,
  keptDays,
  type KeptDays,
  retentionCutoffs,
  type SampleClass,
  sampleClasses,
  type SampleRetention,
  sampleRetentionBounds,
  samplesToKeepFrom,
  unsaidRetention,
  usualSumDays,
} from "./kpis/sample-retention.js";
export { type EvidenceRun, joinEvidence, serviceStates, type ServiceStates, type StateRule, stateRules } from "./kpis/service-state.js";
export {
  accuracyRatio,
  differencesIn,
  noReconciliationCounts,
  sumReconciliationCounts,
  type ReconciliationCounts,
} from "./reconciliation/accuracy.js";
export {
  chooseMethod,
  reconciliationMethods,
  type EntrySource,
  type MethodVerdict,
  type ReconciliationMethod,
  type SideOffer,
} from "./reconciliation/choose-method.js";
export {
  compareSides,
  differenceKinds,
  differingBuckets,
  type Comparison,
  type Difference,
  type DifferenceKind,
  type SideEntry,
} from "./reconciliation/compare-sides.js";
export { comparedFields, pickFields, type ComparedFields } from "./reconciliation/compared-fields.js";
export { RECONCILIATION_LIMITS } from "./reconciliation/reconciliation-limits.js";
export { judgeAgain, type SecondLook } from "./reconciliation/second-look.js";
export { type Freshness, hasRoom, judgeSentAt, nextTry, webhookLimits } from "./webhooks/judge-delivery.js";
export { CRASH_WINDOW_MS, decideRestart, MAX_CRASHES, type RestartVerdict } from "./connectors/decide-restart.js";
export {
  type Admission,
  admitCalls,
  afterAnswer,
  afterAway,
  afterProbe,
  afterRateLimit,
  BREAKER_FAILURES,
  type BreakerFacts,
  closedBreaker,
} from "./connectors/breaker.js";
