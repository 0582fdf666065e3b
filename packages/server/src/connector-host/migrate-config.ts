import { equalJson, sortedJson, WORKSPACE_LIMITS } from "@quiesce/core";
import { ConnectorError, isConnectorError, type Json } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { storableJson } from "../pipeline/storable-json.js";
import type { HostedConnector } from "./hosted-connector.js";

/** An endpoint's configuration as it is stored. */
export interface StoredConfig {
  readonly id: number;
  readonly key: string;
  readonly connector: string;
  readonly config: Json;
  /** null: nobody has looked since it was saved. */
  readonly configVersion: number | null;
}

/** The connector in force, and its schema's parse, which throws `config` for what does not fit. */
export interface ConfigReader {
  readonly hosted: Pick<HostedConnector, "connector" | "version" | "migrate">;
  readonly parse: (value: unknown) => Promise<unknown>;
}

/** What was saved before the versions were kept is of the first one, unless it fits as it is. */
const FIRST_VERSION = 1;

/**
 * The configuration of an endpoint, parsed by its connector. One that was written for an older configVersion is migrated first: checked by the schema
 * of today, then stored with an audit entry and an event in one transaction, by whichever server is first. What cannot be migrated stays as it is and
 * gives a `config` error, and so does one that is newer than the connector.
 */
export async function currentConfig(tx: Tx, stored: StoredConfig, reader: ConfigReader): Promise<unknown> {
  const known = reader.hosted.connector.configVersion ?? FIRST_VERSION;
  const { configVersion } = stored;
  if (configVersion === known) return reader.parse(stored.config);
  if (configVersion !== null && configVersion > known) throw newerConfig(stored, configVersion, reader);
  if (configVersion !== null) return migrated(tx, stored, { ...reader, from: configVersion, to: known });
  const asItIs = await reader.parse(stored.config).then(
    (config) => ({ config }),
    (error: unknown) => ({ error }),
  );
  if ("config" in asItIs) {
    await tx.execute(sql`
      update endpoint set config_version = ${known} where id = ${stored.id} and config_version is null and connector = ${stored.connector}
        and config = ${JSON.stringify(stored.config)}::text::jsonb`);
    return asItIs.config;
  }
  if (known === FIRST_VERSION) throw asItIs.error;
  return migrated(tx, stored, { ...reader, from: FIRST_VERSION, to: known });
}

interface Step extends ConfigReader {
  readonly from: number;
  readonly to: number;
}

async function migrated(tx: Tx, stored: StoredConfig, step: Step): Promise<unknown> {
  const { hosted, from, to } = step;
  const given = await hosted.migrate(structuredClone(stored.config), from).catch((thrown: unknown) => {
    // That the worker is away says nothing about the configuration.
    if (isConnectorError(thrown) && thrown.kind !== "bug") throw thrown;
    throw refusal(stored, step, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  });
  const problem = configProblem(given);
  if (problem !== undefined) throw refusal(stored, step, problem);
  // Stored as PostgreSQL can hold it, so that is what is checked.
  const next = JSON.parse(storableJson(given)) as Json;
  const parsed = await step.parse(next).catch((thrown: unknown) => {
    if (isConnectorError(thrown) && thrown.kind !== "config") throw thrown;
    throw refusal(stored, step, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  });
  const isStored = await tx.transaction((inner) => storeMigrated(inner, stored, { from, to, next }));
  if (isStored) return parsed;
  // Another server was first, or somebody has saved the endpoint meanwhile: what stands now counts.
  const [now] = await tx.execute<{ config: Json; configVersion: number | null }>(sql`
    select config, config_version as "configVersion" from endpoint where id = ${stored.id} and connector = ${stored.connector}`);
  if (now?.configVersion === to) return step.parse(now.config);
  throw new ConnectorError("transient", `Endpoint "${stored.key}" was changed while its configuration was migrated; it is read again.`);
}

async function storeMigrated(
  tx: Tx,
  stored: StoredConfig,
  { from, to, next }: { readonly from: number; readonly to: number; readonly next: Json },
): Promise<boolean> {
  const rows = await tx.execute(sql`
    update endpoint set config = ${JSON.stringify(sortedJson(next))}::text::jsonb, config_version = ${to}, updated_at = app_now()
    where id = ${stored.id} and connector = ${stored.connector} and config_version is not distinct from ${stored.configVersion}::integer
      and config = ${JSON.stringify(stored.config)}::text::jsonb
    returning id`);
  if (rows.length === 0) return false;
  const { key, connector } = stored;
  await recordAudit(tx, {
    actor: systemActor,
    action: "endpoint.migrate-config",
    subjectKind: "endpoint",
    subjectKey: key,
    reason: `The connector "${connector}" has configuration version ${to}, and this configuration was of version ${from}.`,
    before: { configVersion: from, config: stored.config },
    after: { configVersion: to, config: next, isChanged: !equalJson(stored.config, next) },
  });
  const payload = { connector, from, to };
  await appendEvents(tx, [{ kind: "endpoint.config-migrated", subjectKind: "endpoint", subjectKey: key, payload }]);
  return true;
}

function configProblem(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return `its migrate gave ${given === undefined ? "nothing" : Array.isArray(given) ? "a list" : `a ${typeof given}`}, expected an object.`;
  const characters = JSON.stringify(given).length;
  const { configCharacters } = WORKSPACE_LIMITS;
  return characters <= configCharacters
    ? undefined
    : `its migrate gave ${characters} characters of JSON, expected at most ${configCharacters}.`;
}

function refusal(stored: StoredConfig, { hosted, from, to }: Step, why: string, cause?: unknown): ConnectorError {
  return new ConnectorError(
    "config",
    `The configuration of endpoint "${stored.key}" is of version ${from}, and the connector "${stored.connector}" ${hosted.version} could not bring it to version ${to}: ${why} The stored configuration was left as it is. Save the endpoint with a configuration of version ${to}, or load the connector's former version.`,
    { field: "config", cause },
  );
}

function newerConfig(stored: StoredConfig, version: number, { hosted }: ConfigReader): ConnectorError {
  const known = hosted.connector.configVersion ?? FIRST_VERSION;
  return new ConnectorError(
    "config",
    `The configuration of endpoint "${stored.key}" is of version ${version}, and the connector "${stored.connector}" ${hosted.version} knows version ${known} at most. Load a version of the connector that knows it, or save the endpoint with a configuration of version ${known}.`,
    { field: "config" },
  );
}
