import { builder } from "../graphql/builder.js";
import { findSlots, type FoundSlots } from "./find-slots.js";
import { scopeOf, ScopeInput } from "./graphql-inputs.js";

const defaults = { withinDays: 30, stepMinutes: 30, limit: 5 } as const;

/** The window finder. */
export function defineSlots(): void {
  const SlotRef = builder.objectRef<FoundSlots["slots"][number]>("MaintenanceSlot").implement({
    description: "A time in which the scope could be taken down.",
    fields: (t) => ({
      startsAt: t.expose("start", { type: "DateTime", description: "Its start." }),
      endsAt: t.expose("end", { type: "DateTime", description: "Its end." }),
      localStart: t.exposeString("localStart", { description: "Its start on the wall clock of the zone." }),
      localEnd: t.exposeString("localEnd", { description: "Its end on the wall clock of the zone." }),
      runs: t.exposeFloat("runs", { description: "Due times inside." }),
      records: t.exposeFloat("records", {
        nullable: true,
        description: "Expected records inside, of jobs whose records have been counted.",
      }),
      score: t.exposeFloat("score", {
        description:
          "What slots are ranked by: runs, and records by the hundred, times 1, 2, 4 or 8 by the criticality of their integration.",
      }),
      reasons: t.exposeStringList("reasons", { description: "Why it is where it is in the list, in words." }),
    }),
  });
  const SlotsRef = builder.objectRef<FoundSlots>("MaintenanceSlots").implement({
    description: "The quietest times for a window.",
    fields: (t) => ({
      slots: t.field({ type: [SlotRef], description: "The quietest first; no two overlap.", resolve: (row) => row.slots }),
      candidates: t.exposeInt("candidates", { description: "How many starts were possible." }),
      taken: t.exposeInt("taken", { description: "Starts left out because of freezes and other windows on what it reaches." }),
      jobs: t.exposeInt("jobs", { description: "Jobs that were counted." }),
      moreJobs: t.exposeBoolean("moreJobs", { description: "There are more jobs than were counted." }),
    }),
  });
  const SearchInput = builder.inputType("MaintenanceSlotSearch", {
    description: "What a window would need.",
    fields: (t) => ({
      scope: t.field({ type: ScopeInput, required: true, description: "What it would cover." }),
      durationMinutes: t.int({ required: true, description: "How long it would last; a multiple of 5." }),
      timeZone: t.string({ required: true, description: "IANA zone of hours and days: Europe/Madrid." }),
      withinDays: t.int({ description: "How far ahead to look: 1 to 100; 30 when left out." }),
      between: t.string({ description: "Local hours that all of it must lie between: 22:00-06:00." }),
      days: t.stringList({ description: "Local days on which it may start: SA, SU." }),
      stepMinutes: t.int({ description: "How far apart possible starts are; a multiple of 5, 30 when left out." }),
      limit: t.int({ description: "How many slots, 1 to 50; 5 when left out." }),
    }),
  });
  builder.queryField("maintenanceSlots", (t) =>
    t.field({
      type: SlotsRef,
      authScopes: { can: "windows.read" },
      description: "Finds the quietest times for a window: few planned runs and records, no freeze, no other window on the same systems.",
      complexity: 200,
      args: { search: t.arg({ type: SearchInput, required: true, description: "What the window would need." }) },
      resolve: (_root, { search }, { database, zones }) =>
        findSlots(database.db, zones, {
          scope: scopeOf(search.scope),
          durationMinutes: search.durationMinutes,
          timeZone: search.timeZone,
          withinDays: search.withinDays ?? defaults.withinDays,
          stepMinutes: search.stepMinutes ?? defaults.stepMinutes,
          limit: search.limit ?? defaults.limit,
          between: search.between ?? undefined,
          days: search.days ?? undefined,
        }),
    }),
  );
}
