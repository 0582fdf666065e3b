import {
  DomainError,
  KIND_OF_SECTION,
  parseWorkspace,
  usersOf,
  workspaceProblem,
  workspaceProblems,
  type SettledWorkspace,
  type WorkspaceChange,
  type WorkspaceDocument,
  type WorkspaceInput,
  type WorkspaceProblem,
  type WorkspaceSection,
} from "@quiesce/core";
import { inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { lockCatalogue } from "../windows/locks.js";
import type { ApplyOptions, CatalogContext } from "./catalog-context.js";
import { changeCatalogue } from "./change-catalogue.js";
import { secretEntryOf, settleSecrets } from "./settle-secrets.js";
import { sampleDaysOf, sampleRetentionProblems } from "./store/save-sample-retention.js";
import { loadWorkspace } from "./store/load-workspace.js";

export type { ApplyOptions, CatalogContext, CheckEndpoint } from "./catalog-context.js";

/** What applying a document would do. `document` is a workspace as JSON; it is parsed here. Throws DomainError QSC_CATALOGUE_INVALID with all problems. */
export function planWorkspace(
  context: CatalogContext,
  document: unknown,
  options: Pick<ApplyOptions, "prune"> = {},
): Promise<readonly WorkspaceChange[]> {
  return applyWorkspace(context, document, { ...options, dryRun: true });
}

/**
 * Brings the catalogue and the windows to what a document says, all of it or nothing, and answers the steps taken; none when everything is so
 * already. When it answers, no run starts any more in a window that covers its integration as applied.
 */
export function applyWorkspace(
  context: CatalogContext,
  document: unknown,
  options: ApplyOptions = {},
): Promise<readonly WorkspaceChange[]> {
  const wanted = requireWorkspace(document);
  return inCatalogueTransaction(context, async (tx) => {
    // A plan takes it too: it reads several tables and must see them as of one moment.
    await lockCatalogue(tx);
    const current = await loadWorkspace(tx, context.zones);
    const prune = options.prune === true;
    const settled = settleSecrets(wanted, { stored: current.secrets, keys: context.keys });
    const standing = prune ? undefined : current.workspace;
    const prunesRetention = prune && saysRetention(document);
    const retention = { standing: prunesRetention ? [] : current.workspace.sampleRetention, sampleDays: sampleDaysOf(context) };
    const problems = [
      ...workspaceProblems(wanted, { standing, zones: context.zones }),
      ...settled.problems,
      ...sampleRetentionProblems(wanted.sampleRetention, retention),
      ...(await connectorProblems(context, wanted)),
    ];
    refuseProblems(problems);
    const pruned = prunesRetention ? settled.workspace : { ...settled.workspace, sampleRetention: current.workspace.sampleRetention };
    const result = prune ? pruned : overlay(current.workspace, settled.workspace);
    return changeCatalogue(tx, context, { current, result, values: settled.values, options });
  });
}

/** Parses a workspace that came as JSON. Throws DomainError QSC_CATALOGUE_INVALID with all problems. */
export function requireWorkspace(document: unknown): WorkspaceDocument {
  const parsed = parseWorkspace(document);
  if (parsed.ok) return parsed.document;
  refuseProblems(parsed.problems);
  throw new Error("A refused workspace has problems.");
}

/**
 * Whether a document has anything to say about how long samples are kept. One that has not prunes nothing of it: what goes by a shorter time does not come
 * back, and documents were written before they could say it.
 */
function saysRetention(document: unknown): boolean {
  return typeof document === "object" && document !== null && "sampleRetention" in document;
}

type Entry<Section extends WorkspaceSection> = NonNullable<WorkspaceInput[Section]>[number];
type Saved = { readonly key: string; readonly changes: readonly WorkspaceChange[] };

async function upsert(
  context: CatalogContext,
  section: WorkspaceSection,
  entry: { readonly key: string },
  reason: string | undefined,
): Promise<Saved> {
  return { key: entry.key, changes: await applyWorkspace(context, { quiesce: 1, [section]: [entry] }, { reason }) };
}

/** Creates or replaces one system; what is left out takes its default. The same path as a document of one element. */
export const upsertSystem = (context: CatalogContext, entry: Entry<"systems">, reason?: string): Promise<Saved> =>
  upsert(context, "systems", entry, reason);
/** As {@link upsertSystem}, for an endpoint. Secrets that are left out are removed; `{ sealed: fingerprint }` keeps one. */
/** As {@link upsertSystem}, for an integration. */
/** As {@link upsertSystem}, for a job. */
export const upsertJob = (context: CatalogContext, entry: Entry<"jobs">, reason?: string): Promise<Saved> =>
  upsert(context, "jobs", entry, reason);

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
      throw new DomainError(
        "QSC_CATALOGUE_IN_USE",
        `The ${kind} "${key}" is used by ${users.slice(0, 5).join(", ")}${users.length > 5 ? ` and ${users.length - 5} more` : ""}. Delete or change these first.`,
        {
          field: "key",
          details: { users: users.slice(0, 100) },
        },
      );
    }
    const result = { ...workspace, [section]: workspace[section].filter((entry) => entry.key !== key) };
    return { key, changes: await changeCatalogue(tx, context, { current, result, values: new Map(), options: { reason } }) };
  });
}

export const deleteSystem = (context: CatalogContext, key: string, reason?: string): Promise<Saved> =>
  deleteEntry(context, "systems", key, reason);
export const deleteIntegration = (context: CatalogContext, key: string, reason?: string): Promise<Saved> =>
  deleteEntry(context, "integrations", key, reason);
export const deleteJob = (context: CatalogContext, key: string, reason?: string): Promise<Saved> =>
  deleteEntry(context, "jobs", key, reason);

/** The whole workspace as a document; secrets by their source or fingerprint. Applying it changes nothing. */
export function exportWorkspace(tx: Tx, zones: CatalogContext["zones"]): Promise<WorkspaceDocument> {
  // Given the pool this is a transaction of its own, so that all tables are seen under one hold of the lock; within one, a savepoint.
  return tx.transaction(async (inner) => {
    await lockCatalogue(inner);
    const { workspace } = await loadWorkspace(inner, zones);
    const endpoints = workspace.endpoints.map((endpoint) => ({
      ...endpoint,
      secrets: Object.fromEntries(Object.entries(endpoint.secrets).map(([name, secret]) => [name, secretEntryOf(secret)])),
    }));
    const teams = workspace.teams.map((team) => ({
      ...team,
      webhooks: team.webhooks.map((hook) => ({ ...hook, secret: secretEntryOf(hook.secret) })),
    }));
    const calendars = workspace.calendars.map((calendar) => ({ ...calendar, url: secretEntryOf(calendar.url) }));
    return { ...workspace, endpoints, teams, calendars };
  });
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

async function connectorProblems(context: CatalogContext, document: WorkspaceDocument): Promise<readonly WorkspaceProblem[]> {
  const { checkEndpoint } = context;
  if (checkEndpoint === undefined) return [];
  const problems: WorkspaceProblem[] = [];
  for (const [index, endpoint] of document.endpoints.entries()) {
    const found = await checkEndpoint({
      connector: endpoint.connector,
      config: endpoint.config,
      secretNames: Object.keys(endpoint.secrets),
    });
    for (const problem of found)
      problems.push(workspaceProblem(["endpoints", index, ...problem.path.split(".").filter((part) => part !== "")], problem.message));
  }
  return problems;
}

/** All problems in one refusal: `details.problems` as `path: message`, `details.paths` beside them for finding the lines of a file. */
function refuseProblems(problems: readonly WorkspaceProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const lines = problems.map((problem) => (problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`));
  throw new DomainError(
    "QSC_CATALOGUE_INVALID",
    `The workspace is refused: ${lines[0] ?? ""}${lines.length > 1 ? ` (and ${lines.length - 1} more)` : ""}`,
    {
      field: first.path,
      details: { problems: lines, paths: problems.map((problem) => problem.path) },
    },
  );
}

function both<T extends { readonly key: string }>(standing: readonly T[], given: readonly T[]): T[] {
  const keys = new Set(given.map((entry) => entry.key));
  return [...standing.filter((entry) => !keys.has(entry.key)), ...given];
}

/** What stands, with the document's entries in the place of those of the same key. */
function overlay(current: SettledWorkspace, wanted: SettledWorkspace): SettledWorkspace {
  return {
    quiesce: 1,
    systems: both(current.systems, wanted.systems),
    endpoints: both(current.endpoints, wanted.endpoints),
    integrations: both(current.integrations, wanted.integrations),
    jobs: both(current.jobs, wanted.jobs),
    holidayCalendars: both(current.holidayCalendars, wanted.holidayCalendars),
    calendars: both(current.calendars, wanted.calendars),
    approvals: both(current.approvals, wanted.approvals),
    teams: both(current.teams, wanted.teams),
    windows: both(current.windows, wanted.windows),
    sampleRetention: both(current.sampleRetention, wanted.sampleRetention),
  };
}
