import {
  diffWorkspaces,
  KIND_OF_SECTION,
  minimalEntry,
  windowInputOf,
  windowKindEffects,
  WORKSPACE_SECTIONS,
  type SettledWorkspace,
  type WorkspaceChange,
  type WorkspaceSection,
} from "@quiesce/core";
import { sql, TransactionRollbackError } from "drizzle-orm";
import { removeDeclaredCalendars, saveDeclaredCalendars } from "../calendars/declared-calendars.js";
import { recordAudit } from "../audit/record-audit.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { deletePlanningEntries, saveApprovalPolicies, saveHolidayCalendars } from "../windows/planning-store.js";
import { recountWindows, whenCounted } from "../windows/recount-windows.js";
import { deleteWindow, saveWindow } from "../windows/save-window.js";
import { lockDispatch } from "../windows/locks.js";
import { refreshMembership } from "../windows/membership.js";
import type { ApplyOptions, CatalogContext } from "./catalog-context.js";
import type { NewSecretValues } from "./settle-secrets.js";
import { deleteEntries, refuseRunning, type DeletedIds } from "./store/delete-entries.js";
import type { LoadedWorkspace } from "./store/load-workspace.js";
import { saveEndpoints } from "./store/save-endpoints.js";
import { saveIntegrations, saveRoutes } from "./store/save-integrations.js";
import { saveJobs } from "./store/save-jobs.js";
import { endPromoted, saveVersions, supersedeTrials } from "./store/save-versions.js";
import { saveMonitors } from "./store/save-monitors.js";
import { deleteSampleRetention, saveSampleRetention } from "./store/save-sample-retention.js";
import { saveSystems } from "./store/save-systems.js";
import { deleteTeams, saveTeams } from "./store/save-teams.js";

/** What is and what shall be; `values` are the secrets that are new. */
interface Change {
  readonly current: LoadedWorkspace;
  readonly result: SettledWorkspace;
  readonly values: NewSecretValues;
  readonly options: ApplyOptions;
}

/** The one way in which the catalogue changes. The caller holds the catalogue lock. */
export async function changeCatalogue(tx: Tx, context: CatalogContext, input: Change): Promise<readonly WorkspaceChange[]> {
  const { current, result, options } = input;
  const changes = diffWorkspaces(current.workspace, result, { prune: true });
  const keys: ChangedKeys = (action, section) =>
    new Set(
      changes
        .filter((one) => one.kind === KIND_OF_SECTION[section] && (one.action === "delete") === (action === "deleted"))
        .map((one) => one.key),
    );
  if (changes.length === 0) return changes;
  if (options.dryRun === true) {
    if (options.listFreezes !== undefined) await tryForFreezes(tx, context, input, keys);
    return changes;
  }
  const cover = await saveEverything(tx, context, input, keys);
  await deletePlanningEntries(tx, { calendars: [...keys("deleted", "holidayCalendars")], approvals: [...keys("deleted", "approvals")] });
  const reason = options.reason ?? "Not in the applied workspace.";
  cover.push(...(await removeDeclaredCalendars(tx, context, { keys: keys("deleted", "calendars"), reason })));
  await deleteTeams(tx, [...keys("deleted", "teams")]);
  // First what goes: days are judged by what is said of every metric.
  await deleteSampleRetention(tx, context, { keys: keys("deleted", "sampleRetention"), reason });
  const retention = chosen(result.sampleRetention, keys("made", "sampleRetention"));
  await saveSampleRetention(tx, context, { entries: retention, reason: options.reason ?? "As the applied workspace says." });
  const deleted = await deleteEntries(tx, {
    systems: [...keys("deleted", "systems")],
    endpoints: [...keys("deleted", "endpoints")],
    integrations: [...keys("deleted", "integrations")],
    jobs: [...keys("deleted", "jobs")],
  });
  const membership = await refreshMembership(tx);
  // A plan made for empty tables takes seconds a claim after a bulk load.
  if (changes.length >= BULK_CHANGES)
    await tx.execute(sql`analyze system, endpoint, integration, integration_system, job, job_schedule, hold_member`);
  await recordChanges(tx, context, input, changes);
  await endUnderLocks(tx, { cover: [...cover, ...membership], deleted });
  return changes;
}

type ChangedKeys = (action: "made" | "deleted", section: WorkspaceSection) => ReadonlySet<string>;

/** Writes what is made or changed, windows last. Answers the integrations whose cover changed. */
async function saveEverything(tx: Tx, context: CatalogContext, input: Change, keys: ChangedKeys): Promise<number[]> {
  const calendars = keys("made", "holidayCalendars");
  const [made, deleted] = [keys("made", "windows"), keys("deleted", "windows")];
  const recount = {
    calendars,
    except: new Set([...made, ...deleted]),
    stood: await whenCounted(tx, context, calendars),
    freezes: freezesOf(input.options),
  };
  await saveMade(tx, context, input, (section) => keys("made", section));
  // Freezes first, so that changes are judged against them as they will be.
  const cover = [...(await recountWindows(tx, context, { ...recount, blocking: true }))];
  cover.push(...(await saveWindows(tx, context, input, { made, deleted })));
  cover.push(...(await recountWindows(tx, context, { ...recount, blocking: false })));
  return cover;
}

const freezesOf = ({ overrideFreeze, dryRun, listFreezes }: ApplyOptions) => ({
  overrideFreeze,
  listFreezes: dryRun === true ? listFreezes : undefined,
});

/** Which changes of the document would fall into freezes: it is written as if it were meant, and taken back. */
async function tryForFreezes(tx: Tx, context: CatalogContext, input: Change, keys: ChangedKeys): Promise<void> {
  const made = keys("made", "windows");
  const mayFall = input.result.windows.some(({ key, kind }) => made.has(key) && windowKindEffects[kind].changes);
  if (!mayFall && keys("made", "holidayCalendars").size === 0) return;
  try {
    await tx.transaction(async (tried) => {
      await saveEverything(tried, context, input, keys);
      tried.rollback();
    });
  } catch (error) {
    if (!(error instanceof TransactionRollbackError)) throw error;
  }
}

function chosen<T extends { readonly key: string }>(entries: readonly T[], keys: ReadonlySet<string>): readonly T[] {
  return entries.filter((entry) => keys.has(entry.key));
}

async function saveMade(
  tx: Tx,
  context: CatalogContext,
  input: Change,
  made: (section: WorkspaceSection) => ReadonlySet<string>,
): Promise<void> {
  const { result, current } = input;
  await saveSystems(tx, chosen(result.systems, made("systems")));
  const secrets = { values: input.values, stored: current.secrets, keys: context.keys };
  const configVersionOf = context.configVersionOf ?? (() => null);
  await saveEndpoints(tx, { entries: chosen(result.endpoints, made("endpoints")), ...secrets, configVersionOf });
  await saveMonitors(tx, chosen(result.systems, made("systems")));
  await saveTeams(tx, { entries: chosen(result.teams, made("teams")), ...secrets });
  await saveIntegrations(tx, chosen(result.integrations, made("integrations")));
  await recordVersions(tx, context, input, made("integrations"));
  await saveRoutes(tx, { workspace: result, integrations: made("integrations"), endpoints: made("endpoints") });
  await saveJobs(tx, { entries: chosen(result.jobs, made("jobs")), zones: context.zones });
  await saveHolidayCalendars(tx, chosen(result.holidayCalendars, made("holidayCalendars")));
  await saveDeclaredCalendars(tx, context, { entries: chosen(result.calendars, made("calendars")), ...secrets });
  await saveApprovalPolicies(tx, chosen(result.approvals, made("approvals")));
}

async function recordVersions(tx: Tx, context: CatalogContext, input: Change, made: ReadonlySet<string>): Promise<void> {
  const { origin, reason } = input.options;
  if (origin?.kind === "promotion") await endPromoted(tx, origin.trial);
  await supersedeTrials(tx, [...made]);
  await saveVersions(tx, {
    entries: chosen(input.result.integrations, made),
    standing: chosen(input.current.workspace.integrations, made),
    origin: origin?.kind ?? "apply",
    restores: origin?.kind === "rollback" ? origin.restores : null,
    actor: `${context.actor.kind}:${context.actor.name}`,
    reason: reason ?? null,
  });
}

/** Windows are the windows room's: it audits and announces them by itself. Answers the integrations whose cover changed. */
async function saveWindows(
  tx: Tx,
  context: CatalogContext,
  input: Change,
  keys: { readonly made: ReadonlySet<string>; readonly deleted: ReadonlySet<string> },
): Promise<number[]> {
  const changed: number[] = [];
  const freezes = freezesOf(input.options);
  // What blocks changes first: a document that brings a freeze and a change inside it is refused, whatever their order.
  const byEffect = input.result.windows.toSorted(
    (a, b) => Number(windowKindEffects[a.kind].changes) - Number(windowKindEffects[b.kind].changes),
  );
  for (const window of byEffect) {
    if (keys.made.has(window.key)) changed.push(...(await saveWindow(tx, context, windowInputOf(window), freezes)).changed);
  }
  for (const key of keys.deleted)
    changed.push(...(await deleteWindow(tx, context, { key, reason: input.options.reason ?? "Not in the applied workspace." })));
  return changed;
}

/** From so many steps on the planner's figures are renewed. */
const BULK_CHANGES = 500;

/** So many steps are named in the event; all are in the audit. */
const STEPS_IN_EVENT = 100;

/** What a workspace says of each thing, by kind and key; for the audit. */
function said(workspace: SettledWorkspace): ReadonlyMap<string, () => unknown> {
  const entries = new Map<string, () => unknown>();
  for (const section of WORKSPACE_SECTIONS) {
    const minimal = minimalEntry[section] as (entry: { readonly key: string }) => unknown;
    for (const entry of workspace[section]) entries.set(`${KIND_OF_SECTION[section]} ${entry.key}`, () => minimal(entry));
  }
  return entries;
}

async function recordChanges(tx: Tx, context: CatalogContext, input: Change, changes: readonly WorkspaceChange[]): Promise<void> {
  const before = said(input.current.workspace);
  const after = said(input.result);
  for (const one of changes) {
    // Their rooms wrote it down.
    if (one.kind === "window" || one.kind === "sample-retention") continue;
    const name = `${one.kind} ${one.key}`;
    await recordAudit(tx, {
      actor: context.actor,
      action: `${one.kind}.${one.action}`,
      subjectKind: one.kind,
      subjectKey: one.key,
      ...(input.options.reason === undefined ? {} : { reason: input.options.reason }),
      before: before.get(name)?.(),
      after: after.get(name)?.(),
    });
  }
  const count = (action: WorkspaceChange["action"]) => changes.filter((one) => one.action === action).length;
  const steps = changes.slice(0, STEPS_IN_EVENT).map(({ action, kind, key }) => ({ action, kind, key }));
  await appendEvents(tx, [
    {
      kind: "catalogue.applied",
      subjectKind: "control",
      subjectKey: "catalogue",
      payload: { created: count("create"), updated: count("update"), deleted: count("delete"), steps },
    },
  ]);
}

async function endUnderLocks(tx: Tx, input: { readonly cover: readonly number[]; readonly deleted: DeletedIds }): Promise<void> {
  const { deleted } = input;
  // A deleted job whose integration stays is not among the ids: its lock is all of them, which is rare and short.
  const locked = deleted.jobIds.length > 0 ? "all" : [...new Set([...input.cover, ...deleted.integrationIds])];
  await lockDispatch(tx, locked);
  await refuseRunning(tx, deleted);
}
