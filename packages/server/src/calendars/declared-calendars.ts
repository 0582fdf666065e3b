import { calendarSchema, formatDuration, parseDurationMs, type SettledCalendar } from "@quiesce/core";
import { and, asc, eq, isNotNull, isNull } from "drizzle-orm";
import type { LoadedWorkspace, StoredSecret } from "../catalog/store/load-workspace.js";
import type { NewSecretValues } from "../catalog/settle-secrets.js";
import { type CommandContext, readNow } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import { fingerprint, open, seal, type SealedSecret } from "../credentials/sealed-secret.js";
import type { Tx } from "../db/client.js";
import { calendarUrl } from "./fetch-calendar.js";
import { forgetImport, lockImport } from "./import-commands.js";
import { calendarImport, calendarUrlAddress } from "./table.js";

const placeholder = { url: { value: "x" } };

/** The imported calendars that a workspace says: those read from an address. One that was handed in as a document is somebody's one act. */
export async function loadDeclaredCalendars(
  tx: Tx,
): Promise<{ readonly entries: readonly SettledCalendar[]; readonly secrets: LoadedWorkspace["secrets"] }> {
  const rows = await tx
    .select()
    .from(calendarImport)
    .where(and(isNull(calendarImport.removedAt), isNotNull(calendarImport.sealedUrl), isNotNull(calendarImport.urlFingerprint)))
    .orderBy(asc(calendarImport.key));
  const secrets = new Map<string, ReadonlyMap<string, StoredSecret>>();
  const entries = rows.flatMap(({ key, title, everySeconds, settings, sealedUrl, urlSource, urlFingerprint }): SettledCalendar[] => {
    if (sealedUrl === null || urlFingerprint === null || everySeconds === null) return [];
    const stored = { source: urlSource ?? "inline", fingerprint: urlFingerprint };
    const { endpoint, name } = calendarUrlAddress(key);
    secrets.set(endpoint, new Map([[name, { ...stored, sealed: sealedUrl }]]));
    const every = formatDuration(everySeconds * 1_000);
    return [{ ...calendarSchema.parse({ ...placeholder, key, title, every, ...settings }), url: stored }];
  });
  return { entries, secrets };
}

/**
 * Writes what a workspace says of calendars. Nothing is fetched here, under the catalogue's lock: each is due at once, and whichever server follows
 * imports reads it within seconds.
 */
export async function saveDeclaredCalendars(
  tx: Tx,
  context: CommandContext,
  input: {
    readonly entries: readonly SettledCalendar[];
    readonly values: NewSecretValues;
    readonly stored: LoadedWorkspace["secrets"];
    readonly keys: KeyRing;
  },
): Promise<void> {
  for (const entry of input.entries) {
    const { key, title, url, every, ...settings } = entry;
    const now = await readNow(tx);
    const before = await lockImport(tx, key);
    const address = calendarUrlAddress(key);
    const value = input.values.get(address.endpoint)?.get(address.name);
    const sealed = value === undefined ? null : seal(input.keys, { ...address, version: (before?.sealedUrl?.version ?? 0) + 1 }, value);
    const kept = input.stored.get(address.endpoint)?.get(address.name)?.sealed ?? null;
    const readable = sealed ?? kept;
    if (readable === null) throw new Error(`The calendar ${key} has no address.`);
    const values = {
      title,
      settings,
      urlSource: url.source,
      origin: calendarUrl(value ?? open(input.keys, address, readable)).origin,
      everySeconds: (parseDurationMs(every) ?? 0) / 1_000,
      // Read whole and soon: other settings make other windows of the same text.
      etag: null,
      lastModified: null,
      readAt: null,
      nextAt: now,
      updatedAt: now,
      ...(sealed === null || value === undefined ? {} : addressOf(input.keys, { key, sealed, value })),
    };
    if (before === undefined) await tx.insert(calendarImport).values({ ...values, key, createdBy: context.actor.name });
    else await tx.update(calendarImport).set(values).where(eq(calendarImport.id, before.id));
  }
}

/** The columns of an address that was sealed anew. */
function addressOf(keys: KeyRing, input: { readonly key: string; readonly sealed: SealedSecret; readonly value: string }) {
  const { key, sealed, value } = input;
  return { sealedUrl: sealed, urlFingerprint: fingerprint(keys, calendarUrlAddress(key), sealed, value) };
}

/** Forgets calendars that a workspace does not say any more; their windows are cancelled. Answers the integrations whose cover changed. */
export async function removeDeclaredCalendars(
  tx: Tx,
  context: CommandContext,
  input: { readonly keys: ReadonlySet<string>; readonly reason: string },
): Promise<readonly number[]> {
  const changed: number[] = [];
  for (const key of input.keys) {
    const row = await lockImport(tx, key);
    if (row !== undefined) changed.push(...(await forgetImport(tx, context, { row, reason: input.reason, keepWindows: false })));
  }
  return changed;
}
