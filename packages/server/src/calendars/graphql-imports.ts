import { can, describeGrants, DomainError, type RefusedEvent } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { CalendarImportRef } from "../graphql/refs.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import { given, overrideFreezeField, ScopeInput, scopeOf } from "../windows/graphql-inputs.js";
import { ModeEnum, WindowKindEnum } from "../windows/graphql-vocabulary.js";
import { importCalendar, type ImportSource, removeCalendarImport, syncCalendarImport } from "./import-commands.js";
import { importByKey, importPage, type ImportView } from "./queries.js";
import type { ImportReport, ReportedWindow } from "./table.js";
import type { Change } from "../access/targets.js";

const read = { authScopes: { can: "windows.read" } } as const;
const write = { authScopes: { can: "windows.write" } } as const;

/** Calendars of others that windows follow. */
export function defineCalendarImports(): void {
  defineReport();
  defineImports();
  defineImport();
  defineImportUpkeep();
}

const ReportRef = builder.objectRef<ImportReport>("CalendarImportReport");
const ReportedRef = builder.objectRef<ReportedWindow>("CalendarImportWindow");
const RefusedRef = builder.objectRef<RefusedEvent>("RefusedCalendarEvent");

function defineReport(): void {
  builder.objectType(ReportedRef, {
    description: "A window of an imported calendar.",
    fields: (t) => ({
      window: t.exposeString("window", { description: "Its key." }),
      title: t.exposeString("title", { description: "Its title." }),
    }),
  });
  builder.objectType(RefusedRef, {
    description: "An event that was not understood. It has no window, or keeps the one it had.",
    fields: (t) => ({
      uid: t.exposeString("uid", { description: "Its UID." }),
      recurrenceId: t.exposeString("recurrenceId", { nullable: true, description: "The occurrence that it is of; null: the series." }),
      title: t.exposeString("title", { description: "Its title." }),
      code: t.exposeString("code", { description: "Why, for programs." }),
      message: t.exposeString("message", { description: "Why, and what to do." }),
    }),
  });
  builder.objectType(ReportRef, {
    description: "What a pass over a calendar did, or would do. Of each list at most 500 are shown.",
    fields: (t) => ({
      added: t.field({ type: [ReportedRef], description: "New windows.", resolve: (row) => row.added }),
      changed: t.field({ type: [ReportedRef], description: "Windows that follow a changed event.", resolve: (row) => row.changed }),
      removed: t.field({ type: [ReportedRef], description: "Windows whose events are gone: cancelled.", resolve: (row) => row.removed }),
      running: t.field({ type: [ReportedRef], description: "Gone as well, but open: they end as planned.", resolve: (row) => row.running }),
      refused: t.field({ type: [RefusedRef], description: "Events that were not understood.", resolve: (row) => row.refused }),
      addedCount: t.exposeInt("addedCount", { description: "How many were added." }),
      changedCount: t.exposeInt("changedCount", { description: "How many were changed." }),
      removedCount: t.exposeInt("removedCount", { description: "How many were removed." }),
      refusedCount: t.exposeInt("refusedCount", { description: "How many were not understood." }),
      unchangedCount: t.exposeInt("unchangedCount", { description: "How many stayed as they were." }),
      overCount: t.exposeInt("overCount", { description: "Events that lie behind." }),
    }),
  });
}

function defineImports(): void {
  builder.objectType(CalendarImportRef, {
    description: "A calendar of somebody else's whose events are windows here.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its stable name; the keys of its windows begin with it." }),
      title: t.exposeString("title", { description: "Its name for people." }),
      origin: t.exposeString("origin", {
        nullable: true,
        description: "Where it is fetched from; the rest of the address may be secret. null: handed in.",
      }),
      everySeconds: t.exposeInt("everySeconds", { nullable: true, description: "How often it is read." }),
      owner: t.string({ description: "Who answers for its windows.", resolve: (row) => row.settings.owner }),
      reason: t.string({ description: "Why they are needed.", resolve: (row) => row.settings.reason }),
      kind: t.field({ type: WindowKindEnum, description: "What they are.", resolve: (row) => row.settings.kind ?? "maintenance" }),
      mode: t.field({ type: ModeEnum, description: "Whether they hold.", resolve: (row) => row.settings.mode }),
      windows: t.exposeInt("windows", { description: "How many windows it has here." }),
      nextAt: t.expose("nextAt", { type: "DateTime", nullable: true, description: "When it is read next." }),
      attemptedAt: t.expose("attemptedAt", { type: "DateTime", nullable: true, description: "When it was last tried." }),
      succeededAt: t.expose("succeededAt", { type: "DateTime", nullable: true, description: "When it was last read." }),
      failures: t.exposeInt("failures", { description: "Attempts that failed since." }),
      problem: t.exposeString("problem", {
        nullable: true,
        description: "Why the last attempt failed; the windows stay as they were last known.",
      }),
      report: t.field({
        type: ReportRef,
        nullable: true,
        description: "What the last pass that read it did.",
        resolve: (row) => row.report,
      }),
      createdBy: t.exposeString("createdBy", { description: "Who imported it." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was imported." }),
    }),
  });
  const ImportConnection = builder.connectionObject(
    { type: CalendarImportRef, name: "CalendarImportConnection", description: "A page of imported calendars." },
    { name: "CalendarImportEdge", description: "An imported calendar in a list." },
  );
  builder.queryFields((t) => ({
    calendarImports: t.field({
      type: ImportConnection,
      ...read,
      description: "Imported calendars by key.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => importPage(database, args),
    }),
    calendarImport: t.field({
      type: CalendarImportRef,
      nullable: true,
      ...read,
      description: "One imported calendar; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key." }) },
      resolve: (_root, { key }, { database }) => importByKey(database, key),
    }),
  }));
}

const ZoneInput = builder.inputType("MappedTimeZoneInput", {
  description: "What a calendar's own name of a time zone means.",
  fields: (t) => ({
    tzid: t.string({ required: true, description: "The name as the calendar writes it." }),
    timeZone: t.string({ required: true, description: "The IANA zone: Europe/Madrid." }),
  }),
});
const ImportInputRef = builder.inputType("ImportCalendarInput", {
  description: "A calendar whose events become windows and are kept in step. A key that is known changes that import.",
  fields: (t) => ({
    key: t.string({ required: true, description: "Its stable name, at most 50 characters." }),
    title: t.string({ description: "Its name for people; the key when left out." }),
    url: t.string({ description: "Where it is fetched from; needs the right to change the catalogue, as endpoints do." }),
    document: t.string({ description: "Instead of a URL: the iCalendar text itself." }),
    everySeconds: t.int({ description: "How often the URL is read: 60 to 604800; 3600 when left out." }),
    scope: t.field({ type: ScopeInput, required: true, description: "What its windows cover." }),
    kind: t.field({ type: WindowKindEnum, description: "What its events are; MAINTENANCE when left out." }),
    mode: t.field({ type: ModeEnum, description: "ENFORCE when left out." }),
    owner: t.string({ required: true, description: "The team or person who answers for its windows." }),
    reason: t.string({ required: true, description: "Why they are needed." }),
    timeZone: t.string({ description: "The IANA zone of whole days, and of times that stand without a zone." }),
    zoneMap: t.field({ type: [ZoneInput], description: "Zones that only you know." }),
    titleContains: t.string({ description: "Only events whose title contains this." }),
    overrideFreeze: t.string(overrideFreezeField),
    dryRun: t.boolean({ description: "Only say what would be done." }),
  }),
});

function defineImport(): void {
  const ResultRef = builder
    .objectRef<{ readonly report: ImportReport; readonly import: ImportView | null }>("ImportCalendarResult")
    .implement({
      description: "What an import did, or would do.",
      fields: (t) => ({
        report: t.field({ type: ReportRef, description: "What was done.", resolve: (row) => row.report }),
        import: t.field({
          type: CalendarImportRef,
          nullable: true,
          description: "The import; null for the dry run of a new one.",
          resolve: (row) => row.import,
        }),
      }),
    });
  builder.mutationFields((t) => ({
    importCalendar: t.field({
      type: ResultRef,
      ...write,
      description: "Imports a calendar. When it answers, no run starts inside its windows any more.",
      args: { input: t.arg({ type: ImportInputRef, required: true, description: "Which, and whose windows its events are." }) },
      resolve: async (_root, { input }, context) => {
        const { url, document, dryRun, scope, zoneMap, overrideFreeze, ...rest } = given(input);
        const zones = Object.fromEntries((zoneMap ?? []).map((one) => [one.tzid, one.timeZone]));
        const source = sourceOf(context, { url, document });
        const windowScope = scopeOf(scope);
        // A key that is known changes that import: its windows may be somebody else's.
        const known = (await importByKey(context.whole, rest.key)) === null ? [] : onImport(rest.key).on;
        const change: Change = { action: "windows.write", on: [{ kind: "scope", scope: windowScope }, ...known] };
        const { key, report } = await runCommand(context, change, (command) =>
          importCalendar(
            { ...command, ...context.catalogue, signal: requestSignal() },
            { import: { ...rest, scope: windowScope, zoneMap: zones }, source, dryRun: dryRun === true, overrideFreeze },
          ),
        );
        return { report, import: await importByKey(context.database, key) };
      },
    }),
  }));
}

const onImport = (key: string): Change => ({ action: "windows.write", on: [{ kind: "import", key }] });

function defineImportUpkeep(): void {
  const RemoveInput = builder.inputType("RemoveCalendarImportInput", {
    description: "An import to forget.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
      keepWindows: t.boolean({ description: "Leave its windows, as windows that somebody planned; else they are cancelled." }),
    }),
  });
  const SyncInput = builder.inputType("SyncCalendarImportInput", {
    description: "An import to read again.",
    fields: (t) => ({ key: t.string({ required: true, description: "Its key." }) }),
  });
  builder.mutationFields((t) => ({
    syncCalendarImport: t.field({
      type: CalendarImportRef,
      ...write,
      description: "Reads an imported calendar again, now. Whether that went well is in `problem`.",
      args: { input: t.arg({ type: SyncInput, required: true, description: "Which." }) },
      resolve: async (_root, { input: { key } }, context) => {
        await runCommand(context, onImport(key), (command) =>
          syncCalendarImport({ ...command, ...context.catalogue, signal: requestSignal() }, { key }),
        );
        const found = await importByKey(context.database, key);
        if (found === null) throw new Error(`The import ${key} was read and is gone.`);
        return found;
      },
    }),
    removeCalendarImport: t.field({
      type: CalendarImportRef,
      ...write,
      description: "Forgets an import; its windows are cancelled or left. Answers the import as it was.",
      args: { input: t.arg({ type: RemoveInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const { key, reason, keepWindows } = input;
        const before = await importByKey(context.database, key);
        await runCommand(context, onImport(key), (command) =>
          removeCalendarImport(command, { key, reason, keepWindows: keepWindows === true }),
        );
        if (before === null) throw new Error(`The import ${key} was removed and had not been there.`);
        return before;
      },
    }),
  }));
}

/** A mutation that fetches ends by itself; the fetch has a time limit of its own. */
const requestSignal = (): AbortSignal => new AbortController().signal;

function sourceOf(
  { principal }: RequestContext,
  input: { readonly url?: string | undefined; readonly document?: string | undefined },
): ImportSource {
  const { url, document } = input;
  if ((url === undefined) === (document === undefined))
    throw new DomainError("QSC_CALENDAR_IMPORT_INVALID", "Give the calendar's url or its document, one of them.", { field: "url" });
  if (url === undefined) return { document: document ?? "" };
  // Where the server itself reads from is decided by those who decide it for endpoints.
  if (!can(principal, "catalogue.write"))
    throw new DomainError(
      "QSC_ACCESS_DENIED",
      `${describeGrants(principal.grants)} may not tell the server where to fetch from. Ask an admin to import the URL, or import the calendar as a document.`,
      { field: "url" },
    );
  return { url };
}
