import type { CoveragePath, DrainTime } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import type { ExpectedInFlight, HeldJob, PlannedLoad, PreviewBacklog } from "./preview-backlog.js";
import { conflictKinds } from "./other-holds.js";
import type { AvailabilityOf, MonthAvailability } from "./preview-availability.js";
import type { PreviewConflict, PreviewConflicts } from "./preview-conflicts.js";

type Forecast = NonNullable<PreviewBacklog["forecast"]>;

export const CoverageRef = builder
  .objectRef<{ readonly integration: string; readonly paths: readonly CoveragePath[] }>("PreviewCoverage")
  .implement({
    description: "An integration that would be covered, with every reason.",
    fields: (t) => ({
      integration: t.exposeString("integration", { description: "The integration's key." }),
      paths: t.field({ type: [defineCoveragePath()], description: "Every path to it.", resolve: (row) => row.paths }),
    }),
  });

function defineCoveragePath() {
  const ViaEnum = capsEnum(
    "CoverageVia",
    "What makes a window cover an integration.",
    ["integration", "tag", "system", "dependency", "all"],
    {
      dependency: "A system on its route depends hard on one of the scope.",
    },
  );
  return builder.objectRef<CoveragePath>("CoveragePath").implement({
    description: "Why an integration is covered.",
    fields: (t) => ({
      via: t.expose("via", { type: ViaEnum, description: "What makes the window cover it." }),
      detail: t.exposeString("detail", { description: "The key, the tag, the system, or the chain of dependencies: shop > crm > erp." }),
    }),
  });
}

export const HeldJobRef = builder.objectRef<HeldJob>("PreviewHeldJob").implement({
  description: "A job with due times inside the first occurrence.",
  fields: (t) => ({
    job: t.exposeString("job", { description: "The job's key." }),
    integration: t.exposeString("integration", { description: "The integration's key." }),
    dueTimes: t.exposeInt("dueTimes", { description: "Due times inside." }),
    runsAfter: t.exposeInt("runsAfter", { description: "Runs that its catch-up makes of them." }),
    skipped: t.exposeInt("skipped", { description: "Due times that no run makes up for." }),
    sentence: t.string({
      description: "The same in words: 37 missed -> 1 run.",
      resolve: (row) => `${row.dueTimes} missed -> ${row.runsAfter === 1 ? "1 run" : `${row.runsAfter} runs`}`,
    }),
  }),
});

export const ExpectedInFlightRef = builder.objectRef<ExpectedInFlight>("PreviewInFlight").implement({
  description: "A run that is expected to be in flight when the first occurrence begins.",
  fields: (t) => ({
    job: t.exposeString("job", { description: "The job's key." }),
    integration: t.exposeString("integration", { description: "The integration's key." }),
    dueAt: t.expose("dueAt", { type: "DateTime", description: "When it is due." }),
    expectedEndAt: t.expose("expectedEndAt", { type: "DateTime", description: "`dueAt` plus the p95 of its job." }),
  }),
});

export const PlannedLoadRef = builder.objectRef<PlannedLoad>("PreviewLoad").implement({
  description: "How busy the covered jobs would be inside an occurrence.",
  fields: (t) => ({
    localStart: t.exposeString("localStart", { description: "The occurrence." }),
    startsAt: t.expose("startsAt", { type: "DateTime", description: "When it starts." }),
    runs: t.exposeFloat("runs", { description: "Due times inside." }),
    typicalRuns: t.exposeFloat("typicalRuns", { description: "Due times in a stretch of that length, on average over the week ahead." }),
    records: t.exposeFloat("records", { nullable: true, description: "Expected records, of jobs whose records have been counted." }),
    typicalRecords: t.exposeFloat("typicalRecords", { nullable: true, description: "The same on average over the week ahead." }),
  }),
});

const DrainTimeRef = builder.objectRef<DrainTime>("BacklogDrainTime").implement({
  description: "How long what waited keeps running after the release, in milliseconds from the release on.",
  fields: (t) => ({
    dueTimes: t.exposeInt("dueTimes", { description: "Due times that are made up for." }),
    runs: t.exposeInt("runs", { description: "Runs that do it." }),
    atLeastMs: t.exposeFloat("atLeastMs", {
      description: "With the median of the runs that are known, and no time at all for the others.",
    }),
    expectedMs: t.exposeFloat("expectedMs", { nullable: true, description: "With the median of every run; null while one is unknown." }),
    atWorstMs: t.exposeFloat("atWorstMs", {
      nullable: true,
      description: "With the p95 of every run, for each due time it stands for where it reads on; null while one is unknown.",
    }),
  }),
});
const SystemRef = builder.objectRef<Forecast["systems"][number]>("BacklogOfSystem").implement({
  description: "The same of one system.",
  fields: (t) => ({
    system: t.exposeString("system", { description: "The system's key." }),
    drain: t.field({ type: DrainTimeRef, description: "Until nothing of it touches the system any more.", resolve: (row) => row }),
  }),
});
export const ForecastRef = builder.objectRef<Forecast>("BacklogForecast").implement({
  description:
    "What the first occurrence would leave to be done, from the catch-up of each job, the ramps and caps of its systems, first runs, and what its last runs took. What falls due meanwhile and the number of workers are not in it.",
  fields: (t) => ({
    drain: t.field({ type: DrainTimeRef, description: "Until all of it is done.", resolve: (row) => row }),
    skipped: t.exposeInt("skipped", { description: "Due times that no run makes up for." }),
    records: t.exposeFloat("records", { nullable: true, description: "Expected records; null while those of some job are unknown." }),
    unknownJobs: t.exposeStringList("unknownJobs", { description: "Jobs of which no run has been measured." }),
    truncated: t.exposeBoolean("truncated", { description: "Not all runs are in it: the lengths are bounds from below." }),
    delayMs: t.exposeFloat("delayMs", {
      description: "How late the due times that are made up for would start, all together: gross, nothing is forgiven.",
    }),
    longestDelayMs: t.exposeFloat("longestDelayMs", { description: "The latest of them." }),
    systems: t.field({ type: [SystemRef], description: "By system, as far as something waits for it.", resolve: (row) => row.systems }),
  }),
});

const AvailabilityKindEnum = capsEnum("AvailabilityKind", "Of what the availability is told.", ["system", "integration"]);
const AvailabilityRef = builder.objectRef<AvailabilityOf>("PlannedAvailability").implement({
  description:
    "What a month would hold for a system or integration, in milliseconds: upMs + countedMs + excludedMs = lengthMs of the month, exactly.",
  fields: (t) => ({
    kind: t.expose("kind", { type: AvailabilityKindEnum, description: "What it is." }),
    key: t.exposeString("key", { description: "Its key." }),
    addedMs: t.exposeFloat("addedMs", { description: "Downtime that the window brings beyond what others have planned already." }),
    upMs: t.exposeFloat("upMs", { description: "Time for which nothing takes it down." }),
    countedMs: t.exposeFloat("countedMs", { description: "Planned downtime that counts." }),
    excludedMs: t.exposeFloat("excludedMs", {
      description: "Planned downtime of kinds that leave the net availability, as far as an agreement allows.",
    }),
    gross: t.exposeFloat("gross", { description: "upMs of the month, from 0 to 1." }),
    grossBefore: t.exposeFloat("grossBefore", { description: "The same without this window." }),
    net: t.exposeFloat("net", { nullable: true, description: "upMs of what is not excluded; null when all of the month is." }),
  }),
});
export const MonthAvailabilityRef = builder.objectRef<MonthAvailability>("MonthAvailability").implement({
  description:
    "What the window leaves of a calendar month: planned downtime alone, by it and by others that are known a hundred days ahead. No agreement and no failure is in it.",
  fields: (t) => ({
    month: t.exposeString("month", { description: "2026-03" }),
    timeZone: t.exposeString("timeZone", { description: "On the wall clock of this zone." }),
    startsAt: t.expose("start", { type: "DateTime", description: "Its beginning." }),
    endsAt: t.expose("end", { type: "DateTime", description: "Its end." }),
    lengthMs: t.float({ description: "Its length, clock changes included.", resolve: (row) => row.end - row.start }),
    listed: t.field({
      type: [AvailabilityRef],
      description: "Those with the least time up first; at most 100.",
      resolve: (row) => row.listed,
    }),
    systems: t.exposeInt("systems", { description: "Systems that it takes down, also over hard dependencies; up to 1,000 are compared." }),
    integrations: t.exposeInt("integrations", { description: "Integrations that it covers; up to 1,000 are compared." }),
  }),
});

export const ConflictsRef = builder.objectRef<PreviewConflicts>("PreviewConflicts").implement({
  description: "Where a window meets others in the next hundred days.",
  fields: (t) => ({
    overlaps: t.exposeInt("overlaps", { description: "How often something else overlaps it." }),
    touches: t.exposeInt("touches", { description: "How often something else begins at its end, or ends at its start: they hold as one." }),
    listed: t.field({ type: [defineConflict()], description: "By their beginning; at most 200.", resolve: (row) => row.listed }),
  }),
});

function defineConflict() {
  const KindEnum = capsEnum("ConflictKind", "What meets a window.", conflictKinds, { manual: "A pause." });
  const RelationEnum = capsEnum("ConflictRelation", "How two stretches of time meet.", ["overlaps", "touches"], {
    touches: "One begins when the other ends.",
  });
  const PathRef = builder.objectRef<PreviewConflict["paths"][number]>("ConflictPath").implement({
    description: "An integration that both cover.",
    fields: (t) => ({
      integration: t.exposeString("integration", { description: "The integration's key." }),
      ownPath: t.exposeString("ownPath", { description: "Why the window covers it." }),
      otherPath: t.exposeString("otherPath", { description: "Why the other one does." }),
    }),
  });
  return builder.objectRef<PreviewConflict>("PreviewConflict").implement({
    description: "Another window, or a pause, at the same time on the same or on dependent systems.",
    fields: (t) => ({
      relation: t.expose("relation", { type: RelationEnum, description: "Whether they overlap." }),
      kind: t.expose("kind", { type: KindEnum, description: "What it is." }),
      with: t.exposeString("with", { description: "The other window's key, or the number of the hold." }),
      title: t.exposeString("title", { description: "Its title, or the reason of the hold." }),
      localStart: t.exposeString("localStart", { description: "The occurrence of the previewed window." }),
      from: t.expose("from", { type: "DateTime", description: "Since when both are there." }),
      until: t.expose("until", { type: "DateTime", nullable: true, description: "Until when; null: without an end." }),
      heldFrom: t.expose("heldFrom", { type: "DateTime", description: "What both cover is held from here on." }),
      heldUntil: t.expose("heldUntil", { type: "DateTime", nullable: true, description: "And until here; null: without an end." }),
      systems: t.exposeStringList("systems", { description: "Systems that both take down or mean, over dependencies." }),
      integrations: t.exposeInt("integrations", { description: "How many integrations both cover." }),
      paths: t.field({ type: [PathRef], description: "The first 20 of them.", resolve: (row) => row.paths }),
      blocks: t.exposeBoolean("blocks", { description: "A change inside an approved freeze: it is refused there." }),
    }),
  });
}
