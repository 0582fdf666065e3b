import {
  diffWorkspaces,
  DomainError,
  KIND_OF_SECTION,
  minimalEntry,
  parseWorkspace,
  usersOf,
  windowInputOf,
  WORKSPACE_SECTIONS,
  workspaceProblem,
  workspaceProblems,
  type SettledWorkspace,
  type WorkspaceChange,
  type WorkspaceDocument,
  type WorkspaceInput,
  type WorkspaceProblem,
  type WorkspaceSection,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, type CommandContext } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { deleteWindow, saveWindow } from "../windows/commands.js";
import { lockCatalogue, lockDispatch } from "../windows/locks.js";
import { refreshMembership } from "../windows/membership.js";
import { secretEntryOf, settleSecrets, type NewSecretValues } from "./settle-secrets.js";
import { deleteEntries, refuseRunning, type DeletedIds } from "./store/delete-entries.js";
import { loadWorkspace, type LoadedWorkspace } from "./store/load-workspace.js";
import { saveEndpoints } from "./store/save-endpoints.js";
import { saveIntegrations, saveRoutes } from "./store/save-integrations.js";
import { saveJobs } from "./store/save-jobs.js";
import { saveSystems } from "./store/save-systems.js";

/** What a connector says about an endpoint's settings before they are saved; paths are dotted below the endpoint: `config.url`. */
export type CheckEndpoint = (endpoint: {
  readonly connector: string;
  readonly config: { readonly [name: string]: unknown };
  readonly secretNames: readonly string[];
}) => Promise<readonly { readonly path: string; readonly message: string }[]>;

/** What a command of the catalogue needs beside its input. */
export interface CatalogContext extends CommandContext {
  readonly keys: KeyRing;
  /** Left out, any connector and any settings are taken. */
  readonly checkEndpoint?: CheckEndpoint;
}

export interface ApplyOptions {
  /** Also deletes what the document does not name. */
  readonly prune?: boolean | undefined;
  /** Answers what would be done and does nothing. */
  readonly dryRun?: boolean | undefined;
  readonly reason?: string | undefined;
}

/** What applying a document would do. `document` is a workspace as JSON; it is parsed here. Throws DomainError QSC_CATALOGUE_INVALID with all problems. */
export function planWorkspace(context: CatalogContext, document: unknown, options: Pick<ApplyOptions, "prune"> = {}): Promise<readonly WorkspaceChange[]> {
  return applyWorkspace(context, document, { ...options, dryRun: true });
}

/**
 * Brings the catalogue and the windows to what a document says, all of it or nothing, and answers the steps taken; none when everything is so
 * already. When it answers, no run starts any more in a window that covers its integration as applied.
 */
export function applyWorkspace(context: CatalogContext, document: unknown, options: ApplyOptions = {}): Promise<readonly WorkspaceChange[]> {
  const wanted = requireWorkspace(document);
  return inCatalogueTransaction(context, async (tx) => {
    // A plan takes it too: it reads several tables and must see them as of one moment.
    await lockCatalogue(tx);
    const current = await loadWorkspace(tx, context.zones);
    const prune = options.prune === true;
    const settled = settleSecrets(wanted, { stored: current.secrets, keys: context.keys });
    const standing = prune ? undefined : current.workspace;
    const problems = [...workspaceProblems(wanted, { standing, zones: context.zones }), ...settled.problems, ...(await connectorProblems(context, wanted))];
    refuseProblems(problems);
    const result = prune ? settled.workspace : overlay(current.workspace, settled.workspace);
    return change(tx, context, { current, result, values: settled.values, options });
  });
}

/** Parses a workspace that came as JSON. Throws DomainError QSC_CATALOGUE_INVALID with all problems. */
export function requireWorkspace(document: unknown): WorkspaceDocument {
  const parsed = parseWorkspace(document);
  if (parsed.ok) return parsed.document;
  refuseProblems(parsed.problems);
  throw new Error("A refused workspace has problems.");
}

type Entry<Section extends WorkspaceSection> = NonNullable<WorkspaceInput[Section]>[number];
type Saved = { readonly key: string; readonly changes: readonly WorkspaceChange[] };

async function upsert(context: CatalogContext, section: WorkspaceSection, entry: { readonly key: string }, reason: string | undefined): Promise<Saved> {
  return { key: entry.key, changes: await applyWorkspace(context, { quiesce: 1, [section]: [entry] }, { reason }) };
}

/** Creates or replaces one system; what is left out takes its default. The same path as a document of one element. */
export const upsertSystem = (context: CatalogContext, entry: Entry<"systems">, reason?: string): Promise<Saved> => upsert(context, "systems", entry, reason);
/** As {@link upsertSystem}, for an endpoint. Secrets that are left out are removed; `{ sealed: fingerprint }` keeps one. */
export const upsertEndpoint = (context: CatalogContext, entry: Entry<"endpoints">, reason?: string): Promise<Saved> => upsert(context, "endpoints", entry, reason);
/** As {@link upsertSystem}, for an integration. */
export const upsertIntegration = (context: CatalogContext, entry: Entry<"integrations">, reason?: string): Promise<Saved> => upsert(context, "integrations", entry, reason);
/** As {@link upsertSystem}, for a job. */
export const upsertJob = (context: CatalogContext, entry: Entry<"jobs">, reason?: string): Promise<Saved> => upsert(context, "jobs", entry, reason);

/** Deletes one thing that nothing refers to. Throws QSC_CATALOGUE_UNKNOWN, QSC_CATALOGUE_IN_USE or QSC_CATALOGUE_RUNNING. */
function deleteEntry(context: CatalogContext, section: WorkspaceSection, key: string, reason: string | undefined): Promise<Saved> {
  return inCatalogueTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const current = await loadWorkspace(tx, context.zones);
    const { workspace } = current;
    const kind = KIND_OF_SECTION[section];
    if (!workspace[section].some((entry) => entry.key === key)) {
      throw new DomainError("QSC_CATALOGUE_UNKNOWN", `There is no ${kind} "${key}".`, { field: "key" });
    }
    const users = usersOf(workspace, section, key);
    if (users.length > 0) {
      throw new DomainError("QSC_CATALOGUE_IN_USE", `The ${kind} "${key}" is used by ${users.slice(0, 5).join(", ")}${users.length > 5 ? ` and ${users.length - 5} more` : ""}. Delete or change these first.`, {
        field: "key",
        details: { users: users.slice(0, 100) },
      });
    }
    const result = { ...workspace, [section]: workspace[section].filter((entry) => entry.key !== key) };
    return { key, changes: await change(tx, context, { current, result, values: new Map(), options: { reason } }) };
  });
}

export const deleteSystem = (context: CatalogContext, key: string, reason?: string): Promise<Saved> => deleteEntry(context, "systems", key, reason);
export const deleteEndpoint = (context: CatalogContext, key: string, reason?: string): Promise<Saved> => deleteEntry(context, "endpoints", key, reason);
export const deleteIntegration = (context: CatalogContext, key: string, reason?: string): Promise<Saved> => deleteEntry(context, "integrations", key, reason);
export const deleteJob = (context: CatalogContext, key: string, reason?: string): Promise<Saved> => deleteEntry(context, "jobs", key, reason);

/** The whole workspace as a document; secrets by their source or fingerprint. Applying it changes nothing. Call it in a transaction. */
export async function exportWorkspace(tx: Tx, zones: CommandContext["zones"]): Promise<WorkspaceDocument> {
  await lockCatalogue(tx);
  const { workspace } = await loadWorkspace(tx, zones);
  const endpoints = workspace.endpoints.map((endpoint) => ({
    ...endpoint,
    secrets: Object.fromEntries(Object.entries(endpoint.secrets).map(([name, secret]) => [name, secretEntryOf(secret)])),
  }));
  return { ...workspace, endpoints };
}

const MAX_ATTEMPTS = 4;
const DEADLOCK_DETECTED = "40P01";

/** A change of many jobs meets statements of the dispatch that lock many jobs; when PostgreSQL breaks the tie against us, the whole is simply done again. */
async function inCatalogueTransaction<T>(context: CatalogContext, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(context, work);
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isDeadlock(error)) throw error;
    }
  }
}

function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === DEADLOCK_DETECTED) || isDeadlock(error.cause);
}

interface Change {
  readonly current: LoadedWorkspace;
  readonly result: SettledWorkspace;
  readonly values: NewSecretValues;
  readonly options: ApplyOptions;
}

/** The one way in which the catalogue changes. The caller holds the catalogue lock. */
async function change(tx: Tx, context: CatalogContext, input: Change): Promise<readonly WorkspaceChange[]> {
  const { current, result, options } = input;
  const changes = diffWorkspaces(current.workspace, result, { prune: true });
  if (changes.length === 0 || options.dryRun === true) return changes;
  const keys = (action: "made" | "deleted", section: WorkspaceSection) =>
    new Set(changes.filter((one) => one.kind === KIND_OF_SECTION[section] && (one.action === "delete") === (action === "deleted")).map((one) => one.key));
  await saveMade(tx, context, input, (section) => keys("made", section));
  const cover = await saveWindows(tx, context, input, { made: keys("made", "windows"), deleted: keys("deleted", "windows") });
  const deleted = await deleteEntries(tx, {
    systems: [...keys("deleted", "systems")],
    endpoints: [...keys("deleted", "endpoints")],
    integrations: [...keys("deleted", "integrations")],
    jobs: [...keys("deleted", "jobs")],
  });
  const membership = await refreshMembership(tx);
  // A plan made for empty tables takes seconds a claim after a bulk load.
  if (changes.length >= BULK_CHANGES) await tx.execute(sql`analyze system, endpoint, integration, integration_system, job, job_schedule, hold_member`);
  await recordChanges(tx, context, input, changes);
  await endUnderLocks(tx, { cover: [...cover, ...membership], deleted, current });
  return changes;
}

async function saveMade(tx: Tx, context: CatalogContext, input: Change, made: (section: WorkspaceSection) => ReadonlySet<string>): Promise<void> {
  const { result, current } = input;
  const chosen = <T extends { readonly key: string }>(entries: readonly T[], keys: ReadonlySet<string>) => entries.filter((entry) => keys.has(entry.key));
  await saveSystems(tx, chosen(result.systems, made("systems")));
  await saveEndpoints(tx, { entries: chosen(result.endpoints, made("endpoints")), values: input.values, stored: current.secrets, keys: context.keys });
  await saveIntegrations(tx, chosen(result.integrations, made("integrations")));
  await saveRoutes(tx, { workspace: result, integrations: made("integrations"), endpoints: made("endpoints") });
  await saveJobs(tx, { entries: chosen(result.jobs, made("jobs")), zones: context.zones });
}

/** Windows are the windows room's: it audits and announces them by itself. Answers the integrations whose cover changed. */
async function saveWindows(
  tx: Tx,
  context: CatalogContext,
  input: Change,
  keys: { readonly made: ReadonlySet<string>; readonly deleted: ReadonlySet<string> },
): Promise<readonly number[]> {
  const changed: number[] = [];
  for (const window of input.result.windows) {
    if (keys.made.has(window.key)) changed.push(...(await saveWindow(tx, context, windowInputOf(window))).changed);
  }
  for (const key of keys.deleted) changed.push(...(await deleteWindow(tx, context, { key, reason: input.options.reason ?? "Not in the applied workspace." })));
  return changed;
}

/** From so many steps on the planner's figures are renewed. */
const BULK_CHANGES = 500;

/** So many steps are named in the event; all are in the audit. */
const STEPS_IN_EVENT = 100;

async function recordChanges(tx: Tx, context: CatalogContext, input: Change, changes: readonly WorkspaceChange[]): Promise<void> {
  const said = (workspace: SettledWorkspace) => {
    const entries = new Map<string, () => unknown>();
    for (const section of WORKSPACE_SECTIONS) {
      const minimal = minimalEntry[section] as (entry: { readonly key: string }) => unknown;
      for (const entry of workspace[section]) entries.set(`${KIND_OF_SECTION[section]} ${entry.key}`, () => minimal(entry));
    }
    return entries;
  };
  const before = said(input.current.workspace);
  const after = said(input.result);
  for (const one of changes) {
    if (one.kind === "window") continue;
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

async function endUnderLocks(tx: Tx, input: { readonly cover: readonly number[]; readonly deleted: DeletedIds; readonly current: LoadedWorkspace }): Promise<void> {
  const { deleted } = input;
  // A deleted job whose integration stays is not among the ids: its lock is all of them, which is rare and short.
  const locked = deleted.jobIds.length > 0 ? "all" : [...new Set([...input.cover, ...deleted.integrationIds])];
  await lockDispatch(tx, locked);
  await refuseRunning(tx, deleted);
}

async function connectorProblems(context: CatalogContext, document: WorkspaceDocument): Promise<readonly WorkspaceProblem[]> {
  const { checkEndpoint } = context;
  if (checkEndpoint === undefined) return [];
  const problems: WorkspaceProblem[] = [];
  for (const [index, endpoint] of document.endpoints.entries()) {
    const found = await checkEndpoint({ connector: endpoint.connector, config: endpoint.config, secretNames: Object.keys(endpoint.secrets) });
    for (const problem of found) problems.push(workspaceProblem(["endpoints", index, ...problem.path.split(".").filter((part) => part !== "")], problem.message));
  }
  return problems;
}

/** All problems in one refusal: `details.problems` as `path: message`, `details.paths` beside them for finding the lines of a file. */
function refuseProblems(problems: readonly WorkspaceProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const lines = problems.map((problem) => (problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`));
  throw new DomainError("QSC_CATALOGUE_INVALID", `The workspace is refused: ${lines[0] ?? ""}${lines.length > 1 ? ` (and ${lines.length - 1} more)` : ""}`, {
    field: first.path,
    details: { problems: lines, paths: problems.map((problem) => problem.path) },
  });
}

/** What stands, with the document's entries in the place of those of the same key. */
function overlay(current: SettledWorkspace, wanted: SettledWorkspace): SettledWorkspace {
  const both = <T extends { readonly key: string }>(standing: readonly T[], given: readonly T[]): T[] => {
    const keys = new Set(given.map((entry) => entry.key));
    return [...standing.filter((entry) => !keys.has(entry.key)), ...given];
  };
  return {
    quiesce: 1,
    systems: both(current.systems, wanted.systems),
    endpoints: both(current.endpoints, wanted.endpoints),
    integrations: both(current.integrations, wanted.integrations),
    jobs: both(current.jobs, wanted.jobs),
    windows: both(current.windows, wanted.windows),
  };
}
