import { DomainError } from "@quiesce/core";
import { ConnectorError, type Json, type StateStore } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { KeyRing } from "../credentials/master-key.js";
import { open, seal, sealedSecretSchema } from "../credentials/sealed-secret.js";
import type { Database } from "../db/client.js";
import type { SecretMask } from "./secret-mask.js";

const MAX_NAME_LENGTH = 200;
const MAX_VALUE_BYTES = 64 * 1_024;
/** Values of one endpoint, those that have expired apart. */
const MAX_VALUES = 1_000;
const FORGOTTEN_AT_ONCE = 1_000;
/** Shorter texts are hardly session tokens, and hiding them would garble the log. */
const MASKED_MIN_LENGTH = 16;

/**
 * The state store of one endpoint and connector, over connector_state. Values are sealed like secrets, since a session token is one; texts in
 * them are hidden in logs from then on.
 */
export function createStateStore(options: {
  readonly database: Database;
  readonly keyRing: KeyRing;
  /** What is remembered of one credential is not known under another: it may be a session that ends with it. */
  readonly endpoint: { readonly id: number; readonly key: string; readonly credentialId: number | null };
  readonly connectorId: string;
  readonly mask: SecretMask;
}): StateStore {
  const { database, keyRing, endpoint, mask } = options;
  const rowKey = (name: string): string => {
    if (name === "" || name.length > MAX_NAME_LENGTH)
      throw new ConnectorError("bug", `A name in the state store has 1 to ${MAX_NAME_LENGTH} characters, found ${name.length}.`);
    const of = endpoint.credentialId === null ? "" : `credential ${endpoint.credentialId}/`;
    return `${options.connectorId}/${of}${name}`;
  };
  const address = (key: string) => ({ endpoint: endpoint.key, name: `state:${key}` });
  return {
    async get(name) {
      const key = rowKey(name);
      const rows = await stored(
        database.db.execute<{ value: unknown }>(sql`
        select value from connector_state where endpoint_id = ${endpoint.id} and key = ${key} and (expires_at is null or expires_at > app_now())`),
      );
      const sealed = sealedSecretSchema.safeParse(rows[0]?.value);
      if (!sealed.success) return undefined;
      try {
        const value = JSON.parse(open(keyRing, address(key), sealed.data)) as Json;
        mask.add(longTexts(value));
        return value;
      } catch (error) {
        // Sealed by a master key that is gone: for the connector it is as absent as an expired one.
        if (error instanceof DomainError) return undefined;
        throw error;
      }
    },
    async set(name, value, settings) {
      const key = rowKey(name);
      const text = textOf(name, value);
      mask.add(longTexts(value));
      const sealed = seal(keyRing, { ...address(key), version: 1 }, text);
      const life = settings?.ttlMs === undefined ? null : `${settings.ttlMs} milliseconds`;
      await stored(forgetExpired(database, endpoint.id));
      const rows = await stored(
        database.db.execute(sql`
        insert into connector_state (endpoint_id, key, value, expires_at)
        select ${endpoint.id}::integer, ${key}, ${JSON.stringify(sealed)}::text::jsonb, app_now() + ${life}::interval
        where exists (select from connector_state where endpoint_id = ${endpoint.id} and key = ${key})
          or (select count(*) from connector_state where endpoint_id = ${endpoint.id}) < ${MAX_VALUES}
        on conflict (endpoint_id, key) do update set value = excluded.value, expires_at = excluded.expires_at returning key`),
      );
      if (rows.length === 0)
        throw new ConnectorError(
          "bug",
          `The state store of an endpoint has at most ${MAX_VALUES} values, and "${name}" would be one more. Use the same names again, or give values a ttlMs.`,
        );
    },
  };
}

function textOf(name: string, value: Json): string {
  const text = JSON.stringify(value) ?? "null";
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_VALUE_BYTES) return text;
  throw new ConnectorError(
    "bug",
    `The value "${name}" has ${bytes} bytes as JSON, and the state store takes at most ${MAX_VALUE_BYTES}. Keep less of it.`,
  );
}

/** What has expired is deleted when something else is stored: a session of long ago is kept nowhere. */
async function forgetExpired(database: Database, endpointId: number): Promise<void> {
  await database.db.execute(sql`
    delete from connector_state where ctid in (
      select ctid from connector_state where endpoint_id = ${endpointId} and expires_at <= app_now() limit ${FORGOTTEN_AT_ONCE} for update skip locked)`);
}

/** Our own database failed, not the connector: the run may be tried again. */
async function stored<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (cause) {
    throw new ConnectorError("transient", "The connector's state could not be read or stored.", { cause });
  }
}

function longTexts(value: Json): string[] {
  if (typeof value === "string") return value.length >= MASKED_MIN_LENGTH ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(longTexts);
}
