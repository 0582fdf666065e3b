import { sql } from "drizzle-orm";
import { selectRows } from "../db/select-rows.js";
import { encodeCursor, readHead } from "../events/event-log.js";
import { RunStateCountRef, stateCounts } from "../runs/graphql-run-state.js";
import { setMode } from "../windows/hold-commands.js";
import { ModeEnum } from "../windows/graphql-vocabulary.js";
import { overrideExpansion } from "../windows/override-expansion.js";
import { builder } from "./builder.js";
import { capsEnum } from "./caps-enum.js";
import { type HealthReport, healthReport } from "./health-report.js";
import { HoldRef, OccurrenceRef, RunRef } from "./refs.js";
import { type HealthCheck, type RequestContext, runCommand } from "./request-context.js";
import { type StatusSummary, statusSummary } from "./status-summary.js";

interface Control {
  readonly mode: "enforce" | "observe";
  readonly expandedUntil: number | null;
  readonly expansionOverriddenUntil: number | null;
  readonly zoneDataVersion: string | null;
  readonly epoch: string;
  readonly position: number;
}

const read = { authScopes: { can: "control.read" } } as const;

export const StatusSummaryRef = builder.objectRef<StatusSummary>("StatusSummary");
const ControlRef = builder.objectRef<Control>("Control");

/** What is true of the whole deployment: its mode, its health, its state in a few numbers. */
export function defineServerState(): void {
  defineSummary();
  defineHealth();
  defineControl();
  builder.queryField("eventCursor", (t) =>
    t.string({
      authScopes: { can: "events.read" },
      description: "The end of the event log: liveEvents(after: it) brings what comes next.",
      resolve: async (_root, _args, { database }) => encodeCursor(await readHead(database.sql)),
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
    t.field({ type: HealthRef, ...read, description: "How the server is.", resolve: (_root, _args, context) => healthReport(context) }),
  );
}

function defineControl(): void {
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
      resolve: (_root, _args, context) => readControl(context),
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
        await runCommand(context, (command) => setMode(command, input));
        return readControl(context);
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
        await runCommand(context, (command) => overrideExpansion(command, input));
        return readControl(context);
      },
    }),
  );
}

async function readControl({ database }: RequestContext): Promise<Control> {
  const [row] = await selectRows<Control>(
    database.db,
    sql`
    select c.mode, nullif(c.expanded_until, '-infinity') as "expandedUntil",
      nullif(c.expansion_override_until, '-infinity') as "expansionOverriddenUntil", c.zone_data_version as "zoneDataVersion", c.event_epoch::text as epoch,
      h.last_position::float8 as position
    from control as c, event_head as h`,
  );
  if (row === undefined) throw new Error("control or event_head has no row.");
  return row;
}
