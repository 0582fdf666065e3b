import { DomainError } from "@quiesce/core";
import { catalogueByKey } from "../catalog/queries.js";
import { builder } from "../graphql/builder.js";
import { idInside } from "../graphql/key-or-id.js";
import { IntegrationRef, OccurrenceRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { StatusSummaryRef } from "../graphql/server-state.js";
import { statusSummary } from "../runs/status-summary.js";
import { currentOrNextOccurrences, windowByKey } from "../windows/queries.js";
import type { LoggedEvent } from "./event-log.js";
import type { LiveItem } from "./live-bus.js";
import { type Pulse, stateSource } from "./live-source.js";
import { openLog } from "./open-log.js";

const read = { authScopes: { can: "events.read" } } as const;
const STATUS_INTERVAL_MS = 250;
const SUMMARY_INTERVAL_MS = 1_000;
/** Of a kind's payload; grows when a field changes its meaning. */
const PAYLOAD_VERSION = 1;
const SILENT = { kind: "heartbeat", subjectKind: "server", subjectKey: "", integrationKey: null, payload: {} } as const;

/** What happens, as it happens. */
export function defineLive(): void {
  defineLiveEvents();
  defineIntegrationStatus();
  defineWindowProgress();
  builder.subscriptionField("statusSummary", (t) =>
    t.field({
      type: StatusSummaryRef,
      ...read,
      description: "The state of everything in a few numbers: at once, and then whenever something happens, at most once a second.",
      subscribe: (_root, _args, context) => watch(context, SUMMARY_INTERVAL_MS, () => true),
      resolve: (_pulse: Pulse, _args, { database }) => statusSummary(database),
    }),
  );
}

function defineLiveEvents(): void {
  const view = (item: LiveItem) => (item.type === "event" ? item.event : { ...SILENT, at: item.at });
  const EventRef = builder.objectRef<LiveItem>("LiveEvent").implement({
    description: "One thing that happened, or (kind heartbeat) a sign that nothing did.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "Resume here: liveEvents(after: cursor). Kept at least seven days." }),
      version: t.int({ description: "Version of the payload's shape.", resolve: () => PAYLOAD_VERSION }),
      at: t.field({
        type: "DateTime",
        description: "When it happened; of a heartbeat, the server's time.",
        resolve: (row) => view(row).at,
      }),
      kind: t.string({
        description: "Noun and past tense: window.opened, run.started. docs/reference/events.md lists them.",
        resolve: (row) => view(row).kind,
      }),
      subjectKind: t.string({ description: "What sort of thing it happened to.", resolve: (row) => view(row).subjectKind }),
      subjectKey: t.string({ description: "Which thing.", resolve: (row) => view(row).subjectKey }),
      integrationKey: t.string({
        nullable: true,
        description: "The integration that it concerns.",
        resolve: (row) => view(row).integrationKey,
      }),
      payload: t.field({ type: "JSON", description: "What is to be said about it.", resolve: (row) => view(row).payload }),
    }),
  });
  builder.subscriptionField("liveEvents", (t) =>
    t.field({
      type: EventRef,
      ...read,
      description: "Events in the order of their numbers, without a gap or a repeat, with a heartbeat every 15 silent seconds.",
      args: {
        after: t.arg.string({ description: "Continue after this cursor; left out, from now on." }),
        kinds: t.arg.stringList({ description: "Only these: run.started, or run.* for all of a noun." }),
        subjects: t.arg.stringList({
          description: "Only of these: window:erp-upgrade, run:<uuid>; integration:<key> brings its runs too.",
        }),
      },
      subscribe: (_root, { after, kinds, subjects }, context) =>
        openLog(context, { after: after ?? null, ...(kinds ? { kinds } : {}), ...(subjects ? { subjects } : {}) }),
      resolve: (item: LiveItem) => item,
    }),
  );
}

/** The state now and after relevant events. */
function watch({ bus }: RequestContext, minIntervalMs: number, matches: (event: LoggedEvent) => boolean) {
  return stateSource({ place: bus.tail, matches, minIntervalMs });
}

function defineIntegrationStatus(): void {
  const StatusRef = builder.objectRef<Pulse & { readonly integrationId: number }>("IntegrationStatus").implement({
    description: "An integration as it is now.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "liveEvents(after: it) continues where this was read." }),
      integration: t.field({
        type: IntegrationRef,
        description: "The integration: ask for its gate, lastRun, holds.",
        resolve: (row) => String(row.integrationId),
      }),
    }),
  });
  const idOf = async ({ database }: RequestContext, keyOrId: string) => {
    const id = idInside("Integration", keyOrId);
    const row = await catalogueByKey(database, "integration", id === null ? { key: keyOrId } : { id });
    if (row === null) throw new DomainError("QSC_INTEGRATION_NOT_FOUND", `There is no integration "${keyOrId}".`, { field: "key" });
    return row;
  };
  builder.subscriptionField("integrationStatus", (t) =>
    t.field({
      type: StatusRef,
      ...read,
      description: "One integration: at once, and then whenever it may have changed.",
      args: { key: t.arg.string({ required: true, description: "Its key or id." }) },
      subscribe: async (_root, args, context) => {
        const { key } = await idOf(context, args.key);
        // Windows and pauses name no integration in their events: any of them may cover or free this one.
        return watch(
          context,
          STATUS_INTERVAL_MS,
          (event) => event.integrationKey === key || !["run", "token", "principal", "session", "access-review"].includes(event.subjectKind),
        );
      },
      resolve: async (pulse: Pulse, args, context) => ({ ...pulse, integrationId: (await idOf(context, args.key)).id }),
    }),
  );
}

function defineWindowProgress(): void {
  const ProgressRef = builder.objectRef<Pulse & { readonly occurrenceId: number | null }>("WindowProgress").implement({
    description: "A window's current or next occurrence as it is now.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "liveEvents(after: it) continues where this was read." }),
      occurrence: t.field({
        type: OccurrenceRef,
        nullable: true,
        description: "The occurrence that is open, else the next one: ask for its state, inFlight, heldRuns.",
        resolve: (row) => (row.occurrenceId === null ? null : String(row.occurrenceId)),
      }),
    }),
  });
  const windowOf = async ({ database }: RequestContext, keyOrId: string) => {
    const id = idInside("MaintenanceWindow", keyOrId);
    const row = await windowByKey(database, id === null ? { key: keyOrId } : { id });
    if (row === null) throw new DomainError("QSC_WINDOW_NOT_FOUND", `There is no window "${keyOrId}".`, { field: "key" });
    return row;
  };
  builder.subscriptionField("windowProgress", (t) =>
    t.field({
      type: ProgressRef,
      ...read,
      description: "One window: at once, and then whenever its occurrence, or what runs and waits under it, may have changed.",
      args: { key: t.arg.string({ required: true, description: "Its key or id." }) },
      subscribe: async (_root, args, context) => {
        const { key } = await windowOf(context, args.key);
        return watch(
          context,
          STATUS_INTERVAL_MS,
          (event) => event.subjectKind === "run" || (event.subjectKind === "window" && event.subjectKey === key),
        );
      },
      resolve: async (pulse: Pulse, args, context) => {
        const [occurrence] = await currentOrNextOccurrences(context.database, [(await windowOf(context, args.key)).id]);
        return { ...pulse, occurrenceId: occurrence?.id ?? null };
      },
    }),
  );
}
