import { encodeCursor, readHead } from "../events/event-log.js";
import { acknowledgeClockStep, type ClockStep, unacknowledgedStep } from "../runs/clock-step.js";
import { FailureGroupRef } from "../runs/graphql-failing.js";
import { RunStateCountRef, stateCounts } from "../runs/graphql-run-state.js";
import { type RetentionSetting, retentionSetting, setRetention } from "../retention/settings.js";
import { runsRetainedFrom } from "../runs/reach-back.js";
import { type StatusSummary, statusSummary } from "../runs/status-summary.js";
import { setMode } from "../windows/hold-commands.js";
import { ModeEnum } from "../windows/graphql-vocabulary.js";
import { FreezeConflictRef } from "../windows/graphql-freezes.js";
import { type ControlState, readControl } from "../windows/read-control.js";
import { overrideExpansion } from "../windows/override-expansion.js";
import { builder } from "./builder.js";
import { capsEnum } from "./caps-enum.js";
import { type HealthReport, healthReport } from "./health-report.js";
import { HoldRef, OccurrenceRef, RunRef } from "./refs.js";
import { type HealthCheck, runCommand } from "./request-context.js";
import { ofDeployment } from "../access/targets.js";

const read = { authScopes: { can: "control.read" } } as const;

export const StatusSummaryRef = builder.objectRef<StatusSummary>("StatusSummary");
const ControlRef = builder.objectRef<ControlState>("Control");

/** What is true of the whole deployment: its mode, its health, its state in a few numbers. */
export function defineServerState(): void {
  defineSummary();
  defineHealth();
  defineControl();
  builder.queryField("eventCursor", (t) =>
    t.string({
      authScopes: { can: "events.read" },
      description: "The end of the event log: liveEvents(after: it) brings what comes next.",
      resolve: async (_root, _args, { whole }) => encodeCursor(await readHead(whole.sql)),
    }),
  );
}

function defineSummary(): void {
  builder.objectType(StatusSummaryRef, {
    description: "The state of everything in a few numbers.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "liveEvents(after: it) continues exactly where this was read." }),
      at: t.expose("at", { type: "DateTime", description: "When it was read." }),
      mode: t.expose("mode", { type: ModeEnum, description: "Whether holds hold at all." }),
      integrations: t.exposeInt("integrations", { description: "All integrations." }),
      heldIntegrations: t.exposeInt("heldIntegrations", { description: "Those that are held." }),
      activeHolds: t.field({
        type: [HoldRef],
        description: "What holds now, oldest first; at most 50.",
        resolve: (row) => row.activeHoldIds.map(String),
      }),
      nextOccurrence: t.field({
        type: OccurrenceRef,
        nullable: true,
        description: "The next window to begin.",
        resolve: (row) => (row.nextOccurrenceId === null ? null : String(row.nextOccurrenceId)),
      }),
      resuming: t.field({
        type: [OccurrenceRef],
        description: "Windows that are released and whose held runs are being let go, oldest first; at most 20.",
        resolve: (row) => row.resumingIds.map(String),
      }),
      failingIntegrations: t.int({
        description: "Those of which an enabled job failed at its last run of a day.",
        resolve: (row) => row.failing.integrations,
      }),
      failures: t.field({
        type: [FailureGroupRef],
        description: "The same by cause, the largest group first; at most 20. Looked at every two seconds.",
        resolve: (row) => row.failing.groups,
      }),
      freezeConflicts: t.field({
        type: [FreezeConflictRef],
        description: "Changes that lie in freezes and wait for somebody's decision.",
        resolve: (row) => row.freezeConflicts,
      }),
      runsByState: t.field({
        type: [RunStateCountRef],
        description:
          "Due times: those of the last 24 hours that ended, by state, counted every half minute; and all that are due and wait, are held or run now.",
        resolve: (row) => stateCounts(row.runsByState),
      }),
      recentRuns: t.field({
        type: [RunRef],
        description: "The ten newest runs that were started.",
        resolve: (row) => [...row.recentRunIds],
      }),
    }),
  });
  builder.queryField("statusSummary", (t) =>
    t.field({
      type: StatusSummaryRef,
      authScopes: { can: "runs.read" },
      description: "The state of everything in a few numbers; at most half a second old.",
      resolve: (_root, _args, { database }) => statusSummary(database),
    }),
  );
}

function defineHealth(): void {
  const StatusEnum = capsEnum("CheckStatus", "What a check found.", ["pass", "warn", "fail"]);
  const CheckRef = builder.objectRef<HealthCheck>("HealthCheck").implement({
    description: "One thing that was looked at.",
    fields: (t) => ({
      name: t.exposeString("name", { description: "What was looked at." }),
      status: t.expose("status", { type: StatusEnum, description: "What was found." }),
      detail: t.string({ nullable: true, description: "What is wrong, and what to do.", resolve: (row) => row.detail ?? null }),
      observed: t.field({ type: "JSON", nullable: true, description: "What was measured.", resolve: (row) => row.observed ?? null }),
    }),
  });
  const HealthRef = builder.objectRef<HealthReport>("Health").implement({
    description: "How the server is.",
    fields: (t) => ({
      status: t.expose("status", { type: StatusEnum, description: "The worst of the checks." }),
      version: t.exposeString("version", { description: "The version of Quiesce." }),
      checks: t.field({ type: [CheckRef], description: "Everything that was looked at.", resolve: (row) => row.checks }),
    }),
  });
  builder.queryField("health", (t) =>
    t.field({
      type: HealthRef,
      ...read,
      description: "How the server is.",
      resolve: (_root, _args, context) => healthReport({ ...context, database: context.whole }),
    }),
  );
}

function defineControl(): void {
  const RetentionRef = builder.objectRef<RetentionSetting>("Retention").implement({
    description: "For how long runs and events are kept.",
    fields: (t) => ({
      runDays: t.exposeInt("runDays", { nullable: true, description: "Days of runs; null: as the servers are configured." }),
      eventDays: t.exposeInt("eventDays", { nullable: true, description: "Days of live events; null: as the servers are configured." }),
      runsFrom: t.field({
        type: "DateTime",
        nullable: true,
        description: "Due times before this may be gone, and no report looks there; null while nothing has been dropped.",
        resolve: (_row, _args, { database }) => runsRetainedFrom(database.db),
      }),
    }),
  });
  const ClockStepRef = builder.objectRef<ClockStep>("ClockStep").implement({
    description: "A jump of the database's clock. Nothing is dispatched until somebody has looked and acknowledges it.",
    fields: (t) => ({
      seenAt: t.expose("seenAt", { type: "DateTime", description: "When it was seen, by the clock as it went after the jump." }),
      byMs: t.exposeFloat("byMs", { description: "At least so far, in milliseconds: forward above zero, back below." }),
      server: t.exposeString("server", { description: "The server that saw it first." }),
    }),
  });
  builder.objectType(ControlRef, {
    description: "Settings of the whole deployment.",
    fields: (t) => ({
      mode: t.expose("mode", { type: ModeEnum, description: "OBSERVE holds nothing anywhere and records what would have been held." }),
      expandedUntil: t.expose("expandedUntil", {
        type: "DateTime",
        nullable: true,
        description: "Windows are computed up to here; beyond it nothing is dispatched.",
      }),
      expansionOverriddenUntil: t.expose("expansionOverriddenUntil", {
        type: "DateTime",
        nullable: true,
        description:
          "Until then runs start although windows are not computed past now, by an operator's order; null when nobody ever ordered it.",
      }),
      retention: t.field({
        type: RetentionRef,
        description: "For how long runs and events are kept.",
        resolve: (_row, _args, { database }) => retentionSetting(database.db),
      }),
      clockStep: t.field({
        type: ClockStepRef,
        nullable: true,
        description: "A jump of the database's clock that stops dispatch until it is acknowledged; null when there is none.",
        resolve: (_row, _args, { database }) => unacknowledgedStep(database.db),
      }),
      zoneDataVersion: t.exposeString("zoneDataVersion", { nullable: true, description: "The time zone data in force." }),
      eventCursor: t.string({
        description: "liveEvents(after: it) continues exactly where this was read.",
        resolve: (row) => encodeCursor(row),
      }),
    }),
  });
  builder.queryField("control", (t) =>
    t.field({
      type: ControlRef,
      ...read,
      description: "Settings of the whole deployment.",
      resolve: (_root, _args, context) => readControl(context.database),
    }),
  );
  defineControlMutations();
}

function defineControlMutations(): void {
  const ModeInput = builder.inputType("SetModeInput", {
    description: "A mode for the whole deployment.",
    fields: (t) => ({
      mode: t.field({ type: ModeEnum, required: true, description: "ENFORCE or OBSERVE." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationField("setMode", (t) =>
    t.field({
      type: ControlRef,
      authScopes: { can: "control.write" },
      description: "Switches between holding runs and only recording what would have been held.",
      args: { input: t.arg({ type: ModeInput, required: true, description: "Which mode, and why." }) },
      resolve: async (_root, { input }, context) => {
        await runCommand(context, ofDeployment("control.write"), (command) => setMode(command, input));
        return readControl(context.database);
      },
    }),
  );
  const AcknowledgeInput = builder.inputType("AcknowledgeClockStepInput", {
    description: "That somebody has looked at the database's clock.",
    fields: (t) => ({
      reason: t.string({ required: true, description: "Why the clock can be trusted again; it goes into the audit trail." }),
    }),
  });
  builder.mutationField("acknowledgeClockStep", (t) =>
    t.field({
      type: ControlRef,
      authScopes: { can: "runs.write" },
      description: "After a jump of the database's clock: dispatch goes on, on every server.",
      args: { input: t.arg({ type: AcknowledgeInput, required: true, description: "Why." }) },
      resolve: async (_root, { input }, context) => {
        await runCommand(context, ofDeployment("runs.write"), (command) => acknowledgeClockStep(command, input));
        return readControl(context.database);
      },
    }),
  );
  const RetentionInput = builder.inputType("SetRetentionInput", {
    description: "For how long runs and events are kept, on every server.",
    fields: (t) => ({
      runDays: t.int({ description: "Days of runs and the ledger, 35 to 36,500; left out or null: as the servers are configured." }),
      eventDays: t.int({ description: "Days of live events, 7 to 36,500; left out or null: as the servers are configured." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationField("setRetention", (t) =>
    t.field({
      type: ControlRef,
      authScopes: { can: "control.write" },
      description: "Sets for how long runs and events are kept. What is older goes within hours, and does not come back.",
      args: { input: t.arg({ type: RetentionInput, required: true, description: "For how long, and why." }) },
      resolve: async (_root, { input }, context) => {
        const setting = { runDays: input.runDays ?? null, eventDays: input.eventDays ?? null, reason: input.reason };
        await runCommand(context, ofDeployment("control.write"), (command) => setRetention(command, setting));
        return readControl(context.database);
      },
    }),
  );
  const OverrideInput = builder.inputType("OverrideExpansionInput", {
    description: "An order to start runs although the windows are not computed past now.",
    fields: (t) => ({
      until: t.field({ type: "DateTime", required: true, description: "When the order ends by itself; at most 24 hours ahead." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationField("overrideExpansion", (t) =>
    t.field({
      type: ControlRef,
      authScopes: { can: "control.write" },
      description: "Starts runs for a while although nobody knows which windows hold. Holds that are written already still hold.",
      args: { input: t.arg({ type: OverrideInput, required: true, description: "Until when, and why." }) },
      resolve: async (_root, { input }, context) => {
        await runCommand(context, ofDeployment("control.write"), (command) => overrideExpansion(command, input));
        return readControl(context.database);
      },
    }),
  );
}
