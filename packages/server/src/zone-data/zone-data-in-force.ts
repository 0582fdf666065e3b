import { compareZoneDataVersions, DomainError, type ZoneData } from "@quiesce/core";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { materialiseRuns } from "../runs/materialise.js";
import { changesInFreezes, noteMovedIntoFreezes } from "../windows/freeze-conflicts.js";
import { lockCatalogue, lockDispatch } from "../windows/locks.js";
import { changedZones, missingZones, usedZones } from "./changed-zones.js";
import type { Log } from "../log.js";
import { type MovedJob, recompileJobs } from "./recompile-jobs.js";
import { type MovedOccurrence, recompileWindows } from "./recompile-windows.js";
import { storedZoneData, storeZoneData, switchZoneData, zoneDataVersionInForce } from "./store.js";
import { type ZoneDataFiles, zoneDataOf } from "./zone-data-files.js";

/** Occurrences of so many days are listed when they moved, and at most so many of them. */
const LISTED_MS = 90 * 86_400_000;
const MAX_LISTED = 1_000;
const MAX_ATTEMPTS = 4;
const TRY_AGAIN: ReadonlySet<unknown> = new Set(["40P01", "40001"]);

/** The zone data that every server of the deployment computes with. The same object follows when they change. */
export interface ZoneDataInForce extends ZoneData {
  /** Takes over what another server brought into force since. Answers whether anything changed. */
  refresh(): Promise<boolean>;
}

/** What a change of the data moved; for logs and tests. */
interface Change {
  readonly before: string | null;
  readonly occurrences: readonly MovedOccurrence[];
  readonly jobs: readonly MovedJob[];
}

/**
 * Decides which zone data are in force and answers them: those in the database, or the candidate when it is newer or there are none. A newer candidate
 * is stored, and everything that has not begun is computed again, in one transaction; servers that start at the same time agree. A candidate that
 * lacks a zone in use is left out with a warning. Throws DomainError QSC_ZONE_DATA_INCOMPLETE when there is nothing else to compute with.
 */
export async function ensureZoneData(database: Database, candidate: ZoneDataFiles, log: Log): Promise<ZoneDataInForce> {
  await settleBefore(database, candidate);
  const zones = await tryAgain(() => inTransaction({ database }, (tx) => decide(tx, candidate, log)));
  return following(database, zones);
}

/** Follows the data in force until the answered function is called: a server that started with older ones takes over the new ones. */
export function followZoneData(zones: ZoneDataInForce, options: { readonly everyMs?: number; readonly log: Log }): () => Promise<void> {
  let busy: Promise<unknown> = Promise.resolve();
  const look = async (): Promise<void> => {
    try {
      if (await zones.refresh()) options.log.info({ version: zones.version }, "Other time zone data are in force.");
    } catch (error) {
      options.log.warn({ err: error }, "The time zone data in force could not be read; trying again.");
    }
  };
  const timer = setInterval(() => {
    busy = busy.then(look);
  }, options.everyMs ?? 5_000);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await busy;
  };
}

function following(database: Database, first: ZoneData): ZoneDataInForce {
  let current = first;
  return {
    get version() {
      return current.version;
    },
    get source() {
      return current.source;
    },
    zone: (name) => current.zone(name),
    names: () => current.names(),
    refresh: async () => {
      const version = await zoneDataVersionInForce(database.db);
      if (version === null || version === current.version) return false;
      const found = await storedZoneData(database.db, version);
      if (found === null) return false;
      current = found;
      return true;
    },
  };
}

function isNewer(candidate: ZoneDataFiles, than: string | null): boolean {
  return than === null || compareZoneDataVersions(candidate.version, than) > 0;
}

/** What was due before the change is written down by the old data, in the usual portions, so that the change itself has little left to settle. */
async function settleBefore(database: Database, candidate: ZoneDataFiles): Promise<void> {
  const version = await zoneDataVersionInForce(database.db);
  if (version === null || !isNewer(candidate, version)) return;
  const zones = await storedZoneData(database.db, version);
  if (zones === null) return;
  for (let after: number | null = 0; after !== null;) after = (await materialiseRuns({ database, zones }, after)).next;
}

async function decide(tx: Tx, candidate: ZoneDataFiles, log: Log): Promise<ZoneData> {
  await lockCatalogue(tx);
  const version = await zoneDataVersionInForce(tx);
  const stored = version === null ? null : await storedZoneData(tx, version);
  if (stored !== null && !isNewer(candidate, stored.version)) {
    if (stored.version !== candidate.version) {
      log.info(
        { version: stored.version, own: candidate.version },
        "The database holds newer time zone data than this server; they are used.",
      );
    }
    return stored;
  }
  const after = zoneDataOf(candidate);
  const used = await usedZones(tx, await readNow(tx));
  const missing = missingZones(after, used.names);
  if (missing.length > 0) {
    const found = `The time zone data ${after.version} (${after.source}) lack ${missing.slice(0, 5).join(", ")}, which windows or jobs are planned in.`;
    if (stored === null)
      throw new DomainError("QSC_ZONE_DATA_INCOMPLETE", `${found} Install complete zone data.`, {
        details: { missing: missing.slice(0, 100) },
      });
    log.warn({ missing: missing.slice(0, 100), version: stored.version }, `${found} ${stored.version} stays in force.`);
    return stored;
  }
  await storeZoneData(tx, candidate);
  // Data of this version made what is there, before data were stored: nothing can have moved.
  if (version !== candidate.version) await change(tx, { before: stored, versionBefore: version, after, used, log });
  return after;
}

async function change(
  tx: Tx,
  input: {
    readonly before: ZoneData | null;
    readonly versionBefore: string | null;
    readonly after: ZoneData;
    readonly used: { readonly names: readonly string[]; readonly since: number };
    readonly log: Log;
  },
): Promise<void> {
  const { before, after, versionBefore, used } = input;
  const readAt = await readNow(tx);
  const frozen = before === null ? [] : await changesInFreezes(tx, { zones: before, now: readAt });
  // First, for the database refuses occurrences and schedules of any other version than that in force.
  await switchZoneData(tx, { before: versionBefore, after: after.version });
  const now = await readNow(tx);
  const timeZones = changedZones({ before, after, ...used });
  const touched = timeZones.length > 0;
  const occurrences = touched ? await recompileWindows(tx, { timeZones, zones: after, now }) : [];
  const jobs = touched ? await recompileJobs(tx, { timeZones, before, after, now }) : [];
  const intoFreezes = touched ? await noteMovedIntoFreezes(tx, { before: frozen, zones: after, now: readAt }) : 0;
  if (intoFreezes > 0)
    input.log.warn(
      { version: after.version, windows: intoFreezes },
      "These zone data moved changes into freezes; somebody has to decide on them.",
    );
  await announce(tx, { change: { before: versionBefore, occurrences, jobs }, after, now });
  input.log.info(
    { before: versionBefore, version: after.version, source: after.source, occurrencesMoved: occurrences.length, jobsMoved: jobs.length },
    "These time zone data are in force from now on.",
  );
  if (touched) await lockDispatch(tx, "all");
}

async function announce(tx: Tx, input: { readonly change: Change; readonly after: ZoneData; readonly now: number }): Promise<void> {
  const { change: made, after, now } = input;
  const listed = made.occurrences.filter((one) => Math.min(one.before.startsAt, one.after.startsAt) < now + LISTED_MS);
  const moved = {
    occurrencesMoved: listed.length,
    occurrences: listed.slice(0, MAX_LISTED).map((one) => ({ ...one, before: told(one.before), after: told(one.after) })),
    jobsMoved: made.jobs.length,
    jobs: made.jobs.slice(0, MAX_LISTED).map((one) => ({ ...one, before: payloadInstant(one.before), after: payloadInstant(one.after) })),
  };
  const said = { version: after.version, source: after.source };
  await recordAudit(tx, {
    actor: systemActor,
    action: "control.zone-data",
    subjectKind: "control",
    subjectKey: "zone-data",
    reason: made.before === null ? "The first zone data of this database." : "Newer zone data were found at the start of a server.",
    before: { version: made.before },
    after: { ...said, ...moved },
  });
  if (made.before === null && made.occurrences.length + made.jobs.length === 0) return;
  await appendEvents(tx, [
    {
      kind: "control.zone-data-changed",
      subjectKind: "control",
      subjectKey: "zone-data",
      payload: { before: made.before, ...said, ...moved },
    },
  ]);
}

const told = (span: { readonly startsAt: number; readonly endsAt: number }) => ({
  startsAt: payloadInstant(span.startsAt),
  endsAt: payloadInstant(span.endsAt),
});

/** A change of many jobs meets statements of the dispatch that lock many jobs; when PostgreSQL breaks the tie against us, the whole is done again. */
async function tryAgain<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !mayTryAgain(error)) throw error;
    }
  }
}

function mayTryAgain(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && TRY_AGAIN.has(error.code)) || mayTryAgain(error.cause);
}
