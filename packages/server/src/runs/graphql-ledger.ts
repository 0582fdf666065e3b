import { DomainError, type EndingFacts } from "@quiesce/core";
import { readNow } from "../command.js";
import { builder } from "../graphql/builder.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf } from "../graphql/key-or-id.js";
import { HoldRef, IntegrationRef, JobRef, RunRef } from "../graphql/refs.js";
import { RunStateCountRef, RunStateEnum, stateCounts } from "./graphql-run-state.js";
import { type ConservationRound, lastConservation } from "./conservation-round.js";
import { conservation } from "./ledger.js";
import { type LedgerEntry, ledgerPage } from "./ledger-entries.js";
import { runsRetainedFrom } from "./reach-back.js";

const read = { authScopes: { can: "runs.read" } } as const;
const DAY_MS = 86_400_000;

/** Every due time with what became of it, and whether all are accounted for. */
export function defineLedger(): void {
  defineEntries();
  defineConservation();
}

function defineConservation(): void {
  const DifferenceRef = builder.objectRef<ConservationRound["differences"][number]>("LedgerDifference").implement({
    description: "A due time that the schedule's history expects and the ledger lacks, or the other way round.",
    fields: (t) => ({
      job: t.exposeString("job", { description: "The job's key." }),
      kind: t.exposeString("kind", { description: "missing or unexpected." }),
      dueAt: t.expose("dueAt", { type: "DateTime", description: "The due time." }),
    }),
  });
  const ConservationRef = builder.objectRef<ConservationRound>("Conservation").implement({
    description: "Due times recomputed from the schedules' history against those accounted for. A difference is a fault of Quiesce.",
    fields: (t) => ({
      ok: t.boolean({
        description: "True when nothing differs.",
        resolve: (row) => row.difference === 0 && row.expected === row.accounted,
      }),
      checkedAt: t.expose("checkedAt", { type: "DateTime", description: "When it was checked." }),
      from: t.expose("from", { type: "DateTime", description: "Due at or after." }),
      to: t.expose("to", { type: "DateTime", description: "Due before." }),
      expected: t.exposeInt("expected", { description: "Due times that the schedules imply." }),
      accounted: t.exposeInt("accounted", { description: "Due times that are a run, or inside the range of one." }),
      difference: t.exposeInt("difference", { description: "How many due times differ; anything but 0 is a fault of Quiesce." }),
      byState: t.field({
        type: [RunStateCountRef],
        description: "The accounted ones by state.",
        resolve: (row) => stateCounts(row.byState),
      }),
      differences: t.field({
        type: [DifferenceRef],
        description: "What differs; at most 1,000 are listed, of the running check 50.",
        resolve: (row) => row.differences,
      }),
    }),
  });
  builder.queryField("conservation", (t) =>
    t.field({
      type: ConservationRef,
      ...read,
      description:
        "Whether every due time of a period is accounted for exactly once. Without a period: the running check of the last 24 hours, as it was finished last.",
      complexity: 1_000,
      args: {
        from: t.arg({ type: "DateTime", description: "Due at or after." }),
        to: t.arg({ type: "DateTime", description: "Due before; at most 31 days after `from`." }),
      },
      resolve: async (_root, args, { database, zones }) => {
        const known = typeof args.from === "number" || typeof args.to === "number" ? null : await lastConservation(database.db);
        if (known !== null) return known;
        const now = await readNow(database.db);
        const to = args.to ?? now;
        const from = Math.max(args.from ?? to - DAY_MS, (await runsRetainedFrom(database.db)) ?? 0);
        if (from >= to || to - from > 31 * DAY_MS)
          throw new DomainError(
            "QSC_LEDGER_PERIOD",
            "The period must be at least a millisecond and at most 31 days long, and not end before what is kept.",
            {
              field: "from",
            },
          );
        return { checkedAt: now, ...(await conservation(database.db, zones, { from, to })) };
      },
    }),
  );
}

function defineEntries(): void {
  const FactsRef = builder.objectRef<EndingFacts>("LedgerFacts").implement({
    description: "What is known of the run that stands for a due time: what `why` is made of, for pages that say it in other words.",
    fields: (t) => ({
      runDueAt: t.expose("dueAt", {
        type: "DateTime",
        description: "When the run was due. Another due time than the entry's: it is one of several, and not the first.",
      }),
      runState: t.expose("state", { type: RunStateEnum, description: "Where the run is; the entry itself may be COALESCED into it." }),
      reason: t.exposeString("reason", {
        nullable: true,
        description:
          "Why the run came into its state: retry, hold-integration, catch-up-skip, deleted …; of a cancelled run also somebody's words.",
      }),
      attempt: t.exposeInt("attempt", { description: "Its last attempt; 0 before the first." }),
      heldSince: t.expose("heldSince", { type: "DateTime", nullable: true, description: "When it was held last; null: never." }),
      releasedAt: t.expose("releasedAt", { type: "DateTime", nullable: true, description: "When that hold ended." }),
      readyAt: t.expose("readyAt", { type: "DateTime", description: "From when on it may start." }),
      startedAt: t.expose("startedAt", { type: "DateTime", nullable: true, description: "When its last attempt began." }),
      finishedAt: t.expose("finishedAt", { type: "DateTime", nullable: true, description: "When it ended." }),
      error: t.exposeString("error", { nullable: true, description: "What its last error says." }),
      standInDueAt: t.expose("rootDueAt", {
        type: "DateTime",
        nullable: true,
        description: "Of a coalesced one: when the run was due that stands for it.",
      }),
    }),
  });
  const EntryRef = builder.objectRef<LedgerEntry>("LedgerEntry").implement({
    description: "One due time of a schedule, in exactly one state.",
    fields: (t) => ({
      dueAt: t.expose("dueAt", { type: "DateTime", description: "When it was due." }),
      job: t.field({ type: JobRef, description: "Its job.", resolve: (row) => String(row.jobId) }),
      integration: t.field({ type: IntegrationRef, description: "Its integration.", resolve: (row) => String(row.integrationId) }),
      state: t.expose("state", {
        type: RunStateEnum,
        description: "Where it is. Of several due times that one run stands for, all but the first are COALESCED.",
      }),
      why: t.exposeString("why", { description: "Why it ended so, or where it is, in words." }),
      facts: t.expose("facts", { type: FactsRef, description: "The same as data." }),
      heldBy: t.field({
        type: [HoldRef],
        description: "The holds that covered its run when it was last held; a window's has its occurrence.",
        resolve: (row) => row.heldBy.map(String),
      }),
      run: t.field({ type: RunRef, description: "The run that is this due time, or stands for it.", resolve: (row) => row.runId }),
    }),
  });
  const EntryConnection = builder.connectionObject(
    { type: EntryRef, name: "LedgerConnection", description: "A page of the ledger." },
    { name: "LedgerEdge", description: "A due time in a list." },
  );
  const FilterInput = builder.inputType("LedgerFilter", {
    description: "Which due times; every field given must fit.",
    fields: (t) => ({
      job: t.string({ description: "Of this job (key or id)." }),
      integration: t.string({ description: "Of this integration (key or id)." }),
      window: t.string({
        description: "Of the integrations that this window covers (key or id): with `localStart` in that occurrence, else in any.",
      }),
      localStart: t.string({ description: "The local start of one occurrence of `window`, as 2026-12-06T02:00:00." }),
      states: t.field({ type: [RunStateEnum], description: "In one of these states." }),
      dueFrom: t.field({ type: "DateTime", description: "Due at or after; all that is kept when left out." }),
      dueTo: t.field({ type: "DateTime", description: "Due before; now when left out." }),
    }),
  });
  builder.queryField("ledger", (t) =>
    t.field({
      type: EntryConnection,
      ...read,
      description:
        "Every due time of the schedules with what became of it and why. Runs are newest first; of a run that stands for several due times these follow in their order.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: FilterInput, description: "Which due times." }) },
      resolve: async (_root, args, context) => {
        const { job, integration, window, localStart, states, dueFrom, dueTo } = args.filter ?? {};
        const filter = {
          job: typeof job === "string" ? await keyOf(context, "Job", job) : null,
          integration: typeof integration === "string" ? await keyOf(context, "Integration", integration) : null,
          window: typeof window === "string" ? await keyOf(context, "MaintenanceWindow", window) : null,
          localStart: localStart ?? null,
          states: states ?? null,
          dueFrom: dueFrom ?? null,
          dueTo: dueTo ?? null,
        };
        return ledgerPage(context, filter, args);
      },
    }),
  );
}
