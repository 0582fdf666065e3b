import { DomainError, type Kpi, kpiDefinition, type KpiFigures, kpiFigures } from "@quiesce/core";
import { readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { groupRows } from "../db/group-rows.js";
import { checkedPeriod, integrationsOf, type KpiScope, type MeasuredIntegration, type Period } from "./kpi-scope.js";
import { type Grain, grains, minutesOf, type ReadSums, readSums } from "./read-sums.js";

/** Points of one answer. */
const mostPoints = 1_500;

export interface KpiRequest {
  readonly kpi: Kpi;
  readonly scope: KpiScope;
  readonly period: Period;
}

/** A request whose integrations are known and whose period has begun. */
export interface KpiQuestion {
  readonly kpi: Kpi;
  readonly period: Period;
  readonly integrations: readonly MeasuredIntegration[];
  /** When it was asked: nothing is measured later. */
  readonly now: number;
}

/** Throws QSC_KPI_SCOPE and QSC_KPI_PERIOD. */
export async function askKpi(database: Database, { kpi, scope, period }: KpiRequest): Promise<KpiQuestion> {
  const now = await readNow(database.db);
  return { kpi, period: checkedPeriod(period, now), integrations: await integrationsOf(database.db, scope), now };
}

/** The figures of the whole period. */
export async function kpiOfPeriod(database: Database, question: KpiQuestion): Promise<KpiFigures> {
  const { sums, all } = await sumsOf(database, question);
  return kpiFigures(question.kpi, { sums, all, seconds: secondsOf(question.period, question.now) });
}

/** The figures of the period before, of the same length. */
export function kpiBefore(database: Database, question: KpiQuestion): Promise<KpiFigures> {
  const { start, end } = question.period;
  return kpiOfPeriod(database, { ...question, period: { start: start - (end - start), end: start } });
}

/** The figures step by step; steps without samples are left out. Throws QSC_KPI_STEP when there would be too many. */
export async function kpiPoints(
  database: Database,
  question: KpiQuestion,
  step: Grain,
): Promise<readonly { readonly at: number; readonly figures: KpiFigures }[]> {
  const { kpi, period, now } = question;
  const points = Math.ceil((period.end - period.start) / grains[step]);
  if (points > mostPoints)
    throw new DomainError(
      "QSC_KPI_STEP",
      `${points} steps of a ${step} are more than ${mostPoints}. Ask for a longer step or a shorter period.`,
      {
        field: "step",
      },
    );
  const { sums, all } = await sumsOf(database, question, step);
  const [ofSums, ofAll] = [groupRows(sums, ({ at }) => at), groupRows(all, ({ at }) => at)];
  const ats = [...new Set([...ofSums.keys(), ...ofAll.keys()])].toSorted((a, b) => a - b);
  return ats.map((at) => {
    const seconds = secondsOf({ start: at, end: at + grains[step] }, now);
    return { at, figures: kpiFigures(kpi, { sums: ofSums.get(at) ?? [], all: ofAll.get(at) ?? [], seconds }) };
  });
}

/** The integrations with samples by their figure, the worst first. */
export async function kpiRanking(
  database: Database,
  question: KpiQuestion,
  first: number,
): Promise<readonly { readonly integration: MeasuredIntegration; readonly figures: KpiFigures }[]> {
  const { kpi, period, integrations, now } = question;
  const { sums, all } = await sumsOf(database, question);
  const [ofSums, ofAll] = [groupRows(sums, ({ integrationId }) => integrationId), groupRows(all, ({ integrationId }) => integrationId)];
  const worst = kpiDefinition(kpi).better === "lower" ? -1 : 1;
  return integrations
    .map((integration) => {
      const [own, whole] = [ofSums.get(integration.id) ?? [], ofAll.get(integration.id) ?? []];
      return { integration, figures: kpiFigures(kpi, { sums: own, all: whole, seconds: secondsOf(period, now) }) };
    })
    .filter(({ figures }) => figures.value !== null)
    .toSorted((a, b) => worst * ((a.figures.value ?? 0) - (b.figures.value ?? 0)) || (a.integration.key < b.integration.key ? -1 : 1))
    .slice(0, first);
}

async function sumsOf(
  { db }: Database,
  { kpi, period, integrations }: KpiQuestion,
  step?: Grain,
): Promise<{ readonly sums: readonly ReadSums[]; readonly all: readonly ReadSums[] }> {
  const { metric, of } = kpiDefinition(kpi);
  const read = (name: string) =>
    readSums(db, { metric: name, integrationIds: integrations.map(({ id }) => id), period, ...(step === undefined ? {} : { step }) });
  return { sums: await read(metric), all: of === undefined ? [] : await read(of) };
}

/** How long samples were counted for: the ends are taken to the minute, as those of sums, and no further than now. */
function secondsOf(period: Period, now: number): number {
  const { start, end } = minutesOf(period);
  return (Math.min(end, now) - start) / 1_000;
}
