import { can, describeGrants, DomainError } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import type { RequestContext } from "../graphql/request-context.js";
import { candidateZoneData, zoneDataSources } from "./candidate-zone-data.js";
import { lastZoneChange, type RecordedZoneChange } from "./last-zone-change.js";
import { type KeptOccurrence, type MovedDueTimes, previewZoneChange, type ZoneChangePreview } from "./preview-zone-change.js";
import { zoneDataOf } from "./zone-data-files.js";

const read = { authScopes: { can: "control.read" } } as const;

interface MovedView {
  readonly window: string;
  readonly localStart: string;
  readonly timeZone: string;
  readonly before: { readonly startsAt: number; readonly endsAt: number };
  readonly after: { readonly startsAt: number; readonly endsAt: number };
}

/** The zone data in force, what other ones would move, and what the last change moved. */
export function defineZoneData(): void {
  const types = defineMoved();
  defineInForce(types);
  defineDiff(types);
}

type Types = ReturnType<typeof defineMoved>;

function defineMoved() {
  const occurrence = builder.objectRef<MovedView>("MovedOccurrence").implement({
    description: "An occurrence that happens at other instants by other zone data, at the same local times.",
    fields: (t) => ({
      window: t.exposeString("window", { description: "The window's key." }),
      localStart: t.exposeString("localStart", { description: "The occurrence, by its local start." }),
      timeZone: t.exposeString("timeZone", { description: "The zone of its local times." }),
      startsBefore: t.field({ type: "DateTime", description: "When it starts by the data before.", resolve: (row) => row.before.startsAt }),
      endsBefore: t.field({ type: "DateTime", description: "When it ends by them.", resolve: (row) => row.before.endsAt }),
      startsAfter: t.field({ type: "DateTime", description: "When it starts by the other ones.", resolve: (row) => row.after.startsAt }),
      endsAfter: t.field({ type: "DateTime", description: "When it ends by them.", resolve: (row) => row.after.endsAt }),
    }),
  });
  const job = builder.objectRef<Pick<MovedDueTimes, "job" | "before" | "after"> & Partial<MovedDueTimes>>("MovedDueTimes").implement({
    description: "A job that is due at other instants by other zone data: the first such due time.",
    fields: (t) => ({
      job: t.exposeString("job", { description: "The job's key." }),
      local: t.string({
        nullable: true,
        description: "The local time that moves; null of what is on record.",
        resolve: (row) => row.local ?? null,
      }),
      timeZone: t.string({
        nullable: true,
        description: "The zone of its schedule; null of what is on record.",
        resolve: (row) => row.timeZone ?? null,
      }),
      before: t.expose("before", { type: "DateTime", nullable: true, description: "When it is due by the data before; null: not at all." }),
      after: t.expose("after", { type: "DateTime", nullable: true, description: "When it is due by the other ones; null: not at all." }),
      dueTimes: t.int({
        nullable: true,
        description: "How many of the period move; null of what is on record.",
        resolve: (row) => row.dueTimes ?? null,
      }),
    }),
  });
  return { occurrence, job };
}

function defineInForce(types: Types): void {
  const ChangeRef = builder.objectRef<RecordedZoneChange>("ZoneDataChange").implement({
    description: "A change of the zone data, as it was recorded when they came into force.",
    fields: (t) => ({
      at: t.expose("at", { type: "DateTime", description: "When they came into force." }),
      before: t.exposeString("before", { description: "The version before." }),
      version: t.exposeString("version", { description: "The version since." }),
      source: t.exposeString("source", { description: "Where it came from." }),
      occurrencesMoved: t.exposeInt("occurrencesMoved", { description: "Occurrences of the ninety days ahead that moved." }),
      occurrences: t.field({
        type: [types.occurrence],
        description: "The first 1,000 of them.",
        complexity: { field: 1, multiplier: 1 },
        resolve: (row) =>
          row.occurrences.map(({ before, after, ...one }) => ({ ...one, before: instantsOf(before), after: instantsOf(after) })),
      }),
      jobsMoved: t.exposeInt("jobsMoved", { description: "Jobs of which a due time moved." }),
      jobs: t.field({
        type: [types.job],
        description: "The first 1,000 of them.",
        complexity: { field: 1, multiplier: 1 },
        resolve: (row) => row.jobs.map(({ job, before, after }) => ({ job, before: instantOrNull(before), after: instantOrNull(after) })),
      }),
    }),
  });
  const InForceRef = builder.objectRef<{ readonly version: string; readonly source: string }>("ZoneDataInForce").implement({
    description: "The version of the IANA time zone database that every server computes with.",
    fields: (t) => ({
      version: t.exposeString("version", { description: "Such as 2026f." }),
      source: t.exposeString("source", { description: "Where it came from: packaged, a folder, Intl." }),
      lastChange: t.field({
        type: ChangeRef,
        nullable: true,
        description: "The last change, with what it moved; null when the data are those of the beginning.",
        resolve: (_row, _args, { database }) => lastZoneChange(database.db),
      }),
    }),
  });
  builder.queryField("zoneData", (t) =>
    t.field({
      type: InForceRef,
      ...read,
      description: "The zone data in force.",
      resolve: (_root, _args, { zones: { version, source } }) => ({ version, source }),
    }),
  );
}

const instantOrNull = (text: string | null): number | null => (text === null ? null : Date.parse(text));
const instantsOf = ({ startsAt, endsAt }: { readonly startsAt: string; readonly endsAt: string }) => ({
  startsAt: Date.parse(startsAt),
  endsAt: Date.parse(endsAt),
});

function defineDiff(types: Types): void {
  const KeptRef = builder.objectRef<KeptOccurrence>("KeptOccurrence").implement({
    description: "An occurrence in a zone whose rules differ that has begun and is not released: it keeps its instants.",
    fields: (t) => ({
      window: t.exposeString("window", { description: "The window's key." }),
      localStart: t.exposeString("localStart", { description: "The occurrence, by its local start." }),
      timeZone: t.exposeString("timeZone", { description: "The zone of its local times." }),
      startsAt: t.expose("startsAt", { type: "DateTime", description: "When it began." }),
      endsAt: t.expose("endsAt", { type: "DateTime", description: "When it ends." }),
    }),
  });
  const DiffRef = builder.objectRef<ZoneChangePreview>("ZoneDataDiff").implement({
    description: "What other zone data would move of the next ninety days. Nothing is put in force.",
    fields: (t) => ({
      before: t.exposeString("before", { description: "The version in force." }),
      version: t.exposeString("version", { description: "The version that it is compared with." }),
      source: t.exposeString("source", { description: "Where that comes from." }),
      isNewer: t.exposeBoolean("isNewer", { description: "Whether a server that starts with it would bring it into force." }),
      missing: t.exposeStringList("missing", { description: "Zones in use that it lacks; then it is left out." }),
      zones: t.exposeStringList("zones", { description: "Zones in use whose rules differ." }),
      from: t.expose("from", { type: "DateTime", description: "Compared from here" }),
      until: t.expose("until", { type: "DateTime", description: "to here." }),
      occurrencesMoved: t.exposeInt("occurrencesMoved", { description: "Occurrences that would move." }),
      occurrences: t.field({
        type: [types.occurrence],
        description: "The first 1,000 of them, by start.",
        complexity: { field: 1, multiplier: 1 },
        resolve: (row) => row.occurrences,
      }),
      kept: t.field({
        type: [KeptRef],
        description: "What has begun and keeps its instants; at most 1,000.",
        complexity: { field: 1, multiplier: 1 },
        resolve: (row) => row.kept,
      }),
      jobsMoved: t.exposeInt("jobsMoved", { description: "Jobs of which a due time would move." }),
      dueTimesMoved: t.exposeFloat("dueTimesMoved", { description: "Due times that would move, of all jobs." }),
      jobs: t.field({
        type: [types.job],
        description: "The first 1,000 jobs, by key.",
        complexity: { field: 1, multiplier: 1 },
        resolve: (row) => row.jobs,
      }),
      truncated: t.exposeBoolean("truncated", {
        description: "More schedules, or due times of one, than are compared: counts are bounds from below.",
      }),
    }),
  });
  const SourceEnum = capsEnum("ZoneDataSource", "Which zone data are meant.", zoneDataSources, {
    restart: "What this server would find if it were started now.",
    packaged: "Those that travel with this server.",
    system: "Those of this server's machine.",
    files: "Those that are sent along.",
  });
  const FilesInput = builder.inputType("ZoneDataFilesInput", {
    description: "Zone data as `quiesce zones diff --to <folder>` sends them.",
    fields: (t) => ({
      version: t.string({ required: true, description: "Such as 2026g." }),
      source: t.string({ description: "Where they come from, for people." }),
      packed: t.string({
        required: true,
        description: "Gzipped JSON in base64: { files: { name: TZif in base64 }, links: { name: name } }.",
      }),
    }),
  });
  builder.queryField("zoneDataDiff", (t) =>
    t.field({
      type: DiffRef,
      ...read,
      description: "What other zone data would move, before they are put in force.",
      complexity: 1_000,
      args: {
        to: t.arg({ type: SourceEnum, description: "RESTART when left out." }),
        files: t.arg({ type: FilesInput, description: "With FILES alone." }),
      },
      resolve: async (_root, { to, files }, context) => {
        const source = to ?? "restart";
        const sent = files ? { version: files.version, packed: files.packed, source: files.source ?? "sent" } : undefined;
        if (source === "files") refuseSender(context);
        const folders = context.zoneDataFolders ?? { folder: undefined, systemFolder: "/usr/share/zoneinfo" };
        const candidate = await candidateZoneData({ source, folders, files: sent, log: context.log });
        return previewZoneChange(context.database.db, { before: context.zones, after: zoneDataOf(candidate) });
      },
    }),
  );
}

/** A megabyte of somebody's files is unpacked and read: not for everybody who may look. */
function refuseSender({ principal }: RequestContext): void {
  if (can(principal, "windows.write")) return;
  throw new DomainError(
    "QSC_ACCESS_DENIED",
    `${describeGrants(principal.grants)} may not send zone data. Compare those of the server (RESTART, PACKAGED or SYSTEM), or ask an operator.`,
    { field: "files" },
  );
}
