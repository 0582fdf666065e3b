import {
  covered,
  DomainError,
  dueTimes,
  type JobSchedule,
  type Occurrence,
  occurrences,
  softlyAffected,
  unknownScopeNames,
  validateWindowSeries,
  type WindowInput,
  windowInputSchema,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { loadCatalogFacts } from "./store.js";

/** What a window would mean, before it is saved. */
export interface WindowPreview {
  readonly refusals: readonly {
    readonly code: string;
    readonly field: string;
    readonly message: string;
    readonly nearest: string | null;
  }[];
  readonly occurrences: readonly Occurrence[];
  /** Every integration it would cover, and by which path. */
  readonly covered: readonly { readonly integration: string; readonly path: string }[];
  /** Integrations that will feel it through a soft dependency and keep running. */
  readonly affected: readonly { readonly integration: string; readonly path: string }[];
  /** Names in the scope that the catalogue does not know: they cover nothing. */
  readonly unknown: readonly string[];
  /** Jobs with the due times that fall into the first occurrence, and how many runs their catch-up makes of them. */
  readonly heldJobs: readonly {
    readonly job: string;
    readonly integration: string;
    readonly dueTimes: number;
    readonly runsAfter: number;
    readonly catchUp: string;
  }[];
}

const dayMs = 86_400_000;
const shownOccurrences = 20;
/** One that began earlier cannot be open any more. */
const longestMs = 400 * dayMs;
/** A hundred days, a year and a half, ten years: the validation refuses what does not happen within ten. */
const lookOutDays = [100, 550, 3_660];
/** Due times of one job that are counted; more are shown as this many. */
const maxCounted = 10_000;

/** Shows what saving this window would do; changes nothing. Refusals are listed, not thrown, so that a form can show all of them. */
export async function previewWindow(tx: Tx, zones: ZoneData, input: WindowInput): Promise<WindowPreview> {
  const parsed = windowInputSchema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DomainError("QSC_WINDOW_INVALID", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "The window does not fit."}`, {
      field: issue?.path.join(".") ?? "",
    });
  }
  const wanted = parsed.data;
  const refusals = validateWindowSeries(wanted.series, { confirmLong: wanted.confirmLong === true }, zones).map((one) => ({
    code: one.code,
    field: one.field,
    message: one.message,
    nearest: one.nearest ?? null,
  }));
  const now = await readNow(tx);
  const facts = await loadCatalogFacts(tx);
  const keyOf = new Map(facts.integrations.map((one) => [one.id, one.key]));
  const integrations = covered(facts, wanted.scope);
  const unknown = unknownScopeNames(facts, wanted.scope);
  const ahead = refusals.length > 0 ? [] : nextOccurrences(wanted, zones, now);
  return {
    refusals,
    occurrences: ahead,
    covered: integrations.map((one) => ({
      integration: keyOf.get(one.integrationId) ?? "",
      path: one.paths.map((path) => `${path.via}: ${path.detail}`).join("; "),
    })),
    affected: softlyAffected(facts, wanted.scope).map((one) => ({ integration: keyOf.get(one.integrationId) ?? "", path: one.detail })),
    unknown: [...unknown.systems.map((key) => `system ${key}`), ...unknown.integrations.map((key) => `integration ${key}`)],
    heldJobs: await heldJobs(tx, { zones, first: ahead[0], integrationIds: integrations.map((one) => one.integrationId) }),
  };
}

/** The next occurrences, however far ahead the first one is: the look-out grows until there are enough. */
function nextOccurrences(wanted: WindowInput, zones: ZoneData, now: number): readonly Occurrence[] {
  let found: readonly Occurrence[] = [];
  for (const days of lookOutDays) {
    found = occurrences(wanted.series, { from: now - longestMs, to: now + days * dayMs }, zones).filter((one) => one.end > now);
    if (found.length >= shownOccurrences) break;
  }
  return found.slice(0, shownOccurrences);
}

async function heldJobs(
  tx: Tx,
  input: { readonly zones: ZoneData; readonly first: Occurrence | undefined; readonly integrationIds: readonly number[] },
): Promise<WindowPreview["heldJobs"]> {
  const { first } = input;
  if (first === undefined || input.integrationIds.length === 0) return [];
  const jobs = await tx.execute<{ job: string; integration: string; schedule: JobSchedule; catchUp: string }>(sql`
    select j.key as job, i.key as integration, j.schedule, j.catch_up as "catchUp" from job as j join integration as i on i.id = j.integration_id
    where j.enabled and j.schedule is not null and j.integration_id = any (${sql.param(input.integrationIds)}::integer[]) order by j.key limit 1000`);
  return jobs.flatMap(({ schedule, ...job }) => {
    const dues = dueTimes(schedule, { from: first.start, to: first.end, limit: maxCounted }, input.zones).length;
    if (dues === 0) return [];
    return [{ ...job, dueTimes: dues, runsAfter: job.catchUp === "skip" ? 0 : job.catchUp === "coalesce" ? 1 : dues }];
  });
}
