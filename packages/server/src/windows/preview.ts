import {
  type CoveragePath,
  covered,
  DomainError,
  drainPolicySchema,
  keyFromTitle,
  type Occurrence,
  occurrences,
  refusalInFreeze,
  resumePolicySchema,
  softlyAffected,
  unknownScopeNames,
  validateWindowSeries,
  type WindowInput,
  windowInputSchema,
  windowKindEffects,
  type WindowSeries,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { fittingApprovals } from "./fitting-approvals.js";
import { evaluatedSeries } from "./planning-store.js";
import { type MonthAvailability, previewAvailability } from "./preview-availability.js";
import { type PreviewBacklog, previewBacklog } from "./preview-backlog.js";
import { type PreviewConflicts, previewConflicts } from "./preview-conflicts.js";
import { type KeptBackJob, keptBackJobs } from "./preview-drain.js";
import { type FreezeOverride, freezesOfPlan } from "./refuse-in-freeze.js";
import { loadCatalogFacts } from "./store.js";

/** What a window would mean, before it is saved. */
export interface WindowPreview {
  readonly refusals: readonly {
    readonly code: string;
    readonly field: string;
    readonly message: string;
    readonly nearest: string | null;
  }[];
  /** Freezes that it would fall into and that are overridden. */
  readonly overriddenFreezes: readonly { readonly freeze: string; readonly title: string; readonly owner: string }[];
  readonly occurrences: readonly Occurrence[];
  /** Every integration it would cover, and by which path. */
  readonly covered: readonly { readonly integration: string; readonly path: string; readonly paths: readonly CoveragePath[] }[];
  /** Integrations that will feel it through a soft dependency and keep running. */
  readonly affected: readonly { readonly integration: string; readonly path: string }[];
  /** The policies whose approval it would need before it holds anything. */
  readonly approvals: readonly { readonly policy: string; readonly by: readonly string[] }[];
  /** Teams of the catalogue, where there are some and the owner is none of them and no token's name; else null. */
  readonly unknownOwner: { readonly owner: string; readonly known: readonly string[] } | null;
  /** Names in the scope that the catalogue does not know: they cover nothing. */
  readonly unknown: readonly string[];
  /** Jobs whose runs would be kept back before each occurrence, because they would not finish. */
  readonly keptBackJobs: readonly KeptBackJob[];
  /** What the first occurrence would hold and leave to be done, and how busy each of them is. */
  readonly backlog: PreviewBacklog;
  /** What it leaves of the months that its first occurrence touches. */
  readonly availability: readonly MonthAvailability[];
  /** Other windows and pauses that meet it within a hundred days. */
  readonly conflicts: PreviewConflicts;
}

const dayMs = 86_400_000;
const shownOccurrences = 20;
/** One that began earlier cannot be open any more. */
const longestMs = 400 * dayMs;
/** A hundred days, a year and a half, ten years: the validation refuses what does not happen within ten. */
const lookOutDays = [100, 550, 3_660];
/** Conflicts are looked for so far ahead: to there the occurrences of the other windows are written. */
const conflictHorizonMs = 100 * dayMs;

/**
 * Shows what saving this window would do; changes nothing. Refusals are listed, not thrown, so that a form can show all of them. A window that
 * stands `happens` as its occurrences say, overrides and all; conflicts with itself are none.
 */
export async function previewWindow(
  tx: Tx,
  zones: ZoneData,
  input: WindowInput,
  options: FreezeOverride & { readonly happens?: readonly Occurrence[] } = {},
): Promise<WindowPreview> {
  const parsed = windowInputSchema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DomainError("QSC_WINDOW_INVALID", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "The window does not fit."}`, {
      field: issue?.path.join(".") ?? "",
    });
  }
  const wanted = parsed.data;
  const { series, refusals: ofSeries } = await judgedSeries(tx, zones, wanted);
  const now = await readNow(tx);
  const facts = await loadCatalogFacts(tx);
  const keyOf = new Map(facts.integrations.map((one) => [one.id, one.key]));
  const { holds } = windowKindEffects[wanted.kind ?? "maintenance"];
  const integrations = covered(facts, wanted.scope, holds);
  const unknown = unknownScopeNames(facts, wanted.scope);
  const happening = options.happens ?? (ofSeries.length > 0 ? [] : nextOccurrences(series, zones, now));
  const ahead = happening.slice(0, shownOccurrences);
  const integrationIds = integrations.map((one) => one.integrationId);
  const drain = drainPolicySchema.parse(wanted.drain ?? {});
  const enforces = wanted.mode !== "observe";
  const plan = { key: wanted.key ?? keyFromTitle(wanted.title), kind: wanted.kind ?? "maintenance", scope: wanted.scope } as const;
  const window = { ...plan, timeZone: series.timeZone };
  const frozen = options.happens !== undefined ? null : await freezesOfPlan(tx, { window, planned: happening, zones, now, facts });
  const freezes = frozen === null ? [] : [...new Map(frozen.met.map(({ freeze }) => [freeze.freeze, freeze])).values()];
  const isOverridden = options.overrideFreeze !== undefined;
  return {
    refusals:
      frozen === null || isOverridden
        ? ofSeries
        : [...ofSeries, refusalOf(refusalInFreeze({ window: plan.key, ...frozen }), frozen.nearest)],
    overriddenFreezes: isOverridden ? freezes.map(({ freeze, title, owner }) => ({ freeze, title, owner })) : [],
    occurrences: ahead,
    covered: integrations.map((one) => ({
      integration: keyOf.get(one.integrationId) ?? "",
      path: one.paths.map((path) => `${path.via}: ${path.detail}`).join("; "),
      paths: one.paths,
    })),
    affected: softlyAffected(facts, wanted.scope, holds).map((one) => ({
      integration: keyOf.get(one.integrationId) ?? "",
      path: one.detail,
    })),
    approvals: (await fittingApprovals(tx, wanted)).map(({ key, by }) => ({ policy: key, by })),
    unknownOwner: await unknownOwner(tx, wanted.owner),
    unknown: [...unknown.systems.map((key) => `system ${key}`), ...unknown.integrations.map((key) => `integration ${key}`)],
    keptBackJobs: await keptBackJobs(tx, { drain: wanted.drain, enforces, integrationIds }),
    backlog: await previewBacklog(tx, {
      zones,
      now,
      occurrences: ahead,
      integrationIds,
      drain,
      canaries: resumePolicySchema.parse(wanted.resume ?? {}).canaries,
      enforces,
    }),
    availability: await previewAvailability(tx, { zones, facts, plan: window, occurrences: happening }),
    conflicts: await previewConflicts(tx, {
      facts,
      plan,
      occurrences: happening.filter((one) => one.start < now + conflictHorizonMs),
    }),
  };
}

/** The series as it would be evaluated, and why it could not be saved. */
async function judgedSeries(
  tx: Tx,
  zones: ZoneData,
  wanted: WindowInput,
): Promise<{ readonly series: WindowSeries; readonly refusals: WindowPreview["refusals"] }> {
  try {
    const series = await evaluatedSeries(tx, wanted.series);
    const found = validateWindowSeries(series, { confirmLong: wanted.confirmLong === true }, zones);
    return { series, refusals: found.map(({ code, field, message, nearest }) => ({ code, field, message, nearest: nearest ?? null })) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { series: wanted.series, refusals: [refusalOf(error, null)] };
  }
}

const refusalOf = ({ code, field, message }: DomainError, nearest: string | null) => ({ code, field: field ?? "series", message, nearest });

/** The next occurrences, however far ahead the first one is: the look-out grows until there are enough. */
function nextOccurrences(series: WindowSeries, zones: ZoneData, now: number): readonly Occurrence[] {
  let found: readonly Occurrence[] = [];
  for (const days of lookOutDays) {
    found = occurrences(series, { from: now - longestMs, to: now + days * dayMs }, zones).filter((one) => one.end > now);
    if (found.length >= shownOccurrences) break;
  }
  return found;
}

/** Teams are free words of the catalogue: an owner that nobody knows is told, not refused. */
async function unknownOwner(tx: Tx, owner: string): Promise<WindowPreview["unknownOwner"]> {
  const rows = await tx.execute<{ name: string; team: boolean }>(sql`
    select distinct owner_team as name, true as team from system where owner_team is not null
    union select distinct owner_team, true from integration where owner_team is not null
    union select name, false from principal where disabled_at is null`);
  const teams = rows.filter((row) => row.team).map((row) => row.name);
  if (teams.length === 0 || rows.some((row) => row.name === owner)) return null;
  return { owner, known: teams.toSorted() };
}
