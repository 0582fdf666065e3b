import { DomainError, type EventRatio, type Kpi, kpiDefinition, type KpiFigures, kpis } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { IntegrationRef } from "../graphql/refs.js";
import type { KpiScope } from "./kpi-scope.js";
import { askKpi, kpiBefore, kpiOfPeriod, kpiPoints, type KpiQuestion, kpiRanking } from "./read-kpi.js";

const read = { authScopes: { can: "runs.read" } } as const;
/** Percentiles of a period are read from some hundred rows an integration. */
const costOfPeriod = 20;
const mostRanked = 200;

/** What both figures and reports speak of. */
export type SharedTypes = ReturnType<typeof defineKpis>;

/** Figures read from samples. */
export function defineKpis() {
  const KpiEnum = capsEnum("Kpi", "A figure that is read from samples.", kpis, {
    "response-time": "Of the metric response, ms: p95.",
    "check-time": "How long checks took, of the metric check, ms: p95.",
    "run-time": "How long attempts of runs took, ms: p95.",
    throughput: "Records written by runs, a second.",
    "attempt-error-rate": "Attempts of runs that failed, of all attempts.",
    "job-error-rate": "Runs that failed for good, of all that ended.",
    "retry-rate": "Attempts beyond the first, of all attempts.",
    "delivery-success": "Of the metric delivery: those acknowledged in time, of all whose time is over.",
    "end-to-end-latency": "From the due time to the end of the run, planned holds included, ms: p95.",
    "end-to-end-latency-unheld": "The same without the time in which a hold kept the run, ms: p95.",
    "queue-depth": "Of the metric queue.depth: p95.",
    "sync-accuracy": "Of the metric sync: records that both sides hold alike, of all that were compared.",
  });
  const GrainEnum = capsEnum("KpiStep", "How long a step of a series is.", ["minute", "hour", "day"]);
  const Scope = builder.inputType("KpiScope", {
    description: "Of which integrations: one of these, or all that you may see.",
    fields: (t) => ({
      integration: t.string({ description: "One integration, by its key." }),
      system: t.string({ description: "Those on whose route a system is." }),
      team: t.string({ description: "Those of a team." }),
      tag: t.string({ description: "Those with a tag." }),
    }),
  });
  const Share = builder.objectRef<EventRatio>("KpiShare").implement({
    description: "How sure a share is.",
    fields: (t) => ({
      low: t.exposeFloat("low", { nullable: true, description: "The lower end of Wilson's interval of 95 %." }),
      high: t.exposeFloat("high", { nullable: true, description: "Its upper end." }),
      isUncertain: t.exposeBoolean("isUncertain", { description: "Fewer than 20 events: read the interval, not the share." }),
    }),
  });
  const Figures = builder.objectRef<KpiFigures>("KpiFigures").implement({
    description: "What samples come to in a period. Null: there are none.",
    fields: (t) => ({
      value: t.exposeFloat("value", { nullable: true, description: "The figure itself: a share, a rate, or the p95 of a distribution." }),
      samples: t.exposeFloat("samples", { description: "How many samples." }),
      marked: t.exposeFloat("marked", { description: "Of these, late ones and those from clocks that are ahead." }),
      mean: t.exposeFloat("mean", { nullable: true, description: "Their mean." }),
      min: t.exposeFloat("min", { nullable: true, description: "The smallest." }),
      max: t.exposeFloat("max", { nullable: true, description: "The largest." }),
      p50: t.exposeFloat("p50", { nullable: true, description: "The median, at most 1.1 % off; of distributions." }),
      p95: t.exposeFloat("p95", { nullable: true, description: "95 of 100 are not larger." }),
      p99: t.exposeFloat("p99", { nullable: true, description: "99 of 100 are not larger." }),
      share: t.expose("share", { type: Share, nullable: true, description: "Of shares: how sure it is." }),
    }),
  });
  const Point = builder.objectRef<{ readonly at: number; readonly figures: KpiFigures }>("KpiPoint").implement({
    description: "One step of a series.",
    fields: (t) => ({
      at: t.expose("at", { type: "DateTime", description: "Its beginning." }),
      figures: t.expose("figures", { type: Figures, description: "What it came to." }),
    }),
  });
  const Ranked = builder.objectRef<Awaited<ReturnType<typeof kpiRanking>>[number]>("KpiRank").implement({
    description: "An integration among others.",
    fields: (t) => ({
      integration: t.field({ type: IntegrationRef, description: "Which.", resolve: ({ integration }) => String(integration.id) }),
      figures: t.expose("figures", { type: Figures, description: "What it came to." }),
    }),
  });
  const Answer = builder.objectRef<KpiQuestion>("KpiAnswer").implement({
    description: "A figure of a scope and a period; each field reads what it is asked.",
    ...read,
    fields: (t) => ({
      kpi: t.expose("kpi", { type: KpiEnum, description: "Which figure." }),
      unit: t.string({ description: "ms, 1/s, count or share (0 to 1).", resolve: ({ kpi }) => kpiDefinition(kpi).unit }),
      from: t.field({ type: "DateTime", description: "The period's beginning.", resolve: ({ period }) => period.start }),
      to: t.field({ type: "DateTime", description: "Its end, now at most.", resolve: ({ period }) => period.end }),
      integrations: t.int({ description: "Of how many integrations.", resolve: ({ integrations }) => integrations.length }),
      current: t.field({
        type: Figures,
        description: "What the period came to.",
        complexity: costOfPeriod,
        resolve: (question, _args, { database }) => kpiOfPeriod(database, question),
      }),
      previous: t.field({
        type: Figures,
        description: "What the period before came to, which is as long and ends where this one begins.",
        complexity: costOfPeriod,
        resolve: (question, _args, { database }) => kpiBefore(database, question),
      }),
      points: t.field({
        type: [Point],
        description: "Step by step, at most 1,500; steps without samples are left out. Minutes are kept for 35 days, hours for 800.",
        args: { step: t.arg({ type: GrainEnum, required: true, description: "How long a step is." }) },
        complexity: costOfPeriod,
        resolve: (question, { step }, { database }) => kpiPoints(database, question, step),
      }),
      ranking: t.field({
        type: [Ranked],
        description: "The integrations, the worst first.",
        args: { first: t.arg.int({ description: `At most so many, ${mostRanked} at most; 10 when left out.` }) },
        complexity: ({ first }) => costOfPeriod + (first ?? 10),
        resolve: (question, { first }, { database }) => kpiRanking(database, question, rankedOf(first)),
      }),
    }),
  });
  builder.queryField("kpi", (t) =>
    t.field({
      type: Answer,
      ...read,
      description: "A figure of integrations in a period: now, before, step by step, and who is worst.",
      args: {
        kpi: t.arg({ type: KpiEnum, required: true, description: "Which figure." }),
        scope: t.arg({ type: Scope, description: "Of which integrations; all when left out." }),
        from: t.arg({ type: "DateTime", required: true, description: "The period's beginning." }),
        to: t.arg({ type: "DateTime", required: true, description: "Its end; what is not over yet is left out." }),
      },
      resolve: (_root, { kpi, scope, from, to }, { database }) =>
        askKpi(database, { kpi: kpi satisfies Kpi, scope: scopeOf(scope), period: { start: from, end: to } }),
    }),
  );
  return { Scope, Figures, KpiEnum, Answer };
}

/** The scope of an input; null is all. */
export function scopeOf(scope: KpiScope | null | undefined): KpiScope {
  return scope ?? {};
}

function rankedOf(first: number | null | undefined): number {
  const wanted = first ?? 10;
  if (wanted >= 1 && wanted <= mostRanked) return wanted;
  throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `first is ${wanted}; a ranking has 1 to ${mostRanked} integrations.`, { field: "first" });
}
