import { downtimeEffects } from "@quiesce/core";
import { batched } from "../../graphql/batched.js";
import { builder } from "../../graphql/builder.js";
import { capsEnum } from "../../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../../graphql/connection.js";
import { keyOf } from "../../graphql/key-or-id.js";
import { EndpointRef, MonitorAnnouncementRef, RemoteDowntimeRef, SystemRef, WindowRef } from "../../graphql/refs.js";
import { announcementPage, announcementStates, monitorsOfSystems, remoteDowntimePage, type SystemMonitorView } from "./queries.js";

const read = { authScopes: { can: "windows.read" } } as const;

const EffectEnum = capsEnum("DowntimeEffect", "What a downtime at a monitor stops.", downtimeEffects, {
  notifications: "It goes on looking and keeps quiet.",
  checks: "It does not look, where it knows such a thing.",
});

const monitors = batched(
  (ids: readonly number[], { database }) => monitorsOfSystems(database, ids),
  (row) => row.systemId,
);

/** Windows at monitors: ours, theirs, and who watches what. */
export function defineAnnouncements(): void {
  defineMonitors();
  defineAnnouncement();
  defineRemoteDowntime();
}

function defineMonitors(): void {
  const MonitorRef = builder.objectRef<SystemMonitorView>("SystemMonitor").implement({
    description: "That a system is watched, and under which names.",
    fields: (t) => ({
      endpoint: t.field({ type: EndpointRef, description: "The monitor.", resolve: (row) => String(row.endpointId) }),
      resources: t.exposeStringList("resources", { description: "The system's names there; a window over it silences them." }),
      suppress: t.expose("suppress", { type: EffectEnum, description: "What a window stops there." }),
    }),
  });
  builder.objectField(SystemRef, "monitoredBy", (t) =>
    t.field({
      type: [MonitorRef],
      description: "Who watches it; at most 20.",
      resolve: (row, _args, context) => monitors.many(context, row.id),
    }),
  );
}

function defineAnnouncement(): void {
  const StateEnum = capsEnum("MonitorAnnouncementState", "How far an occurrence is announced at a monitor.", announcementStates, {
    pending: "The monitor is to be told, or nobody knows whether it was.",
    announced: "The monitor has it.",
    withdrawn: "Nothing of it is left there.",
  });
  builder.objectType(MonitorAnnouncementRef, {
    description: "One occurrence of a window at one monitor: its downtime or silence there.",
    ...read,
    fields: (t) => ({
      endpoint: t.field({ type: EndpointRef, description: "The monitor.", resolve: (row) => String(row.endpointId) }),
      window: t.field({ type: WindowRef, description: "The window.", resolve: (row) => String(row.windowId) }),
      localStart: t.exposeString("localStart", { description: "The occurrence, by its local start." }),
      startsAt: t.expose("startsAt", { type: "DateTime", description: "From when the monitor keeps quiet." }),
      endsAt: t.expose("endsAt", { type: "DateTime", description: "Until when." }),
      resources: t.exposeStringList("resources", { description: "About what, by its names there." }),
      suppress: t.expose("suppress", { type: EffectEnum, description: "What it stops there." }),
      state: t.expose("state", { type: StateEnum, description: "How far it is." }),
      begunAt: t.expose("begunAt", { type: "DateTime", description: "Since when the monitor is to have it." }),
      announcedAt: t.expose("announcedAt", { type: "DateTime", nullable: true, description: "When it was told, or told again." }),
      withdrawnAt: t.expose("withdrawnAt", { type: "DateTime", nullable: true, description: "When nothing of it was left there." }),
      remoteIds: t.exposeStringList("remoteIds", { description: "The monitor's own names of it." }),
      problem: t.exposeString("problem", { nullable: true, description: "Why it could not be told; null: nothing is wrong." }),
    }),
  });
  const Connection = builder.connectionObject(
    { type: MonitorAnnouncementRef, name: "MonitorAnnouncementConnection", description: "A page of announcements at monitors." },
    { name: "MonitorAnnouncementEdge", description: "An announcement in a list." },
  );
  const Filter = builder.inputType("MonitorAnnouncementFilter", {
    description: "Which announcements; every condition must hold.",
    fields: (t) => ({
      window: t.string({ description: "Of this window: its key or id." }),
      endpoint: t.string({ description: "At this monitor: its endpoint's key or id." }),
      states: t.field({ type: [StateEnum], description: "With one of these states." }),
    }),
  });
  builder.queryField("monitorAnnouncements", (t) =>
    t.field({
      type: Connection,
      ...read,
      description: "What monitors are told of windows, the newest first.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...args }, context) => {
        const window = typeof filter?.window === "string" ? await keyOf(context, "MaintenanceWindow", filter.window) : null;
        const endpoint = typeof filter?.endpoint === "string" ? await keyOf(context, "Endpoint", filter.endpoint) : null;
        return announcementPage(context.database, args, { window, endpoint, states: filter?.states });
      },
    }),
  );
}

function defineRemoteDowntime(): void {
  builder.objectType(RemoteDowntimeRef, {
    description:
      "A downtime or silence that others have made at a monitor, as of the last look (at most two minutes ago while it answers).",
    ...read,
    fields: (t) => ({
      endpoint: t.field({ type: EndpointRef, description: "The monitor.", resolve: (row) => String(row.endpointId) }),
      remoteId: t.exposeString("remoteId", { description: "The monitor's own name of it." }),
      startsAt: t.expose("startsAt", { type: "DateTime", description: "From when." }),
      endsAt: t.expose("endsAt", { type: "DateTime", description: "Until when." }),
      resources: t.exposeStringList("resources", { description: "About what, by its names there." }),
      title: t.exposeString("title", { description: "What its maker wrote." }),
      author: t.exposeString("author", { nullable: true, description: "Who made it." }),
      firstSeenAt: t.expose("firstSeenAt", { type: "DateTime", description: "When it was seen first." }),
    }),
  });
  const Connection = builder.connectionObject(
    { type: RemoteDowntimeRef, name: "RemoteDowntimeConnection", description: "A page of others' downtimes." },
    { name: "RemoteDowntimeEdge", description: "One of others' downtimes in a list." },
  );
  builder.queryField("remoteDowntimes", (t) =>
    t.field({
      type: Connection,
      ...read,
      description:
        "What others have announced at monitors that watch systems here, the newest first. Quiesce shows it and leaves it alone.",
      args: { ...pageArgs, endpoint: t.arg.string({ description: "Only at this monitor: its endpoint's key or id." }) },
      complexity: pageComplexity,
      resolve: async (_root, { endpoint, ...args }, context) =>
        remoteDowntimePage(context.database, args, typeof endpoint === "string" ? await keyOf(context, "Endpoint", endpoint) : null),
    }),
  );
}
