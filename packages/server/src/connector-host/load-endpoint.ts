import { DomainError } from "@quiesce/core";
import { type Connector, ConnectorError, type Json, parseSettings } from "@quiesce/sdk";
import { type SQL, sql } from "drizzle-orm";
import { openCredential, type SecretValues } from "../credentials/credential-secrets.js";
import type { KeyRing } from "../credentials/master-key.js";
import { open, sealedSecretSchema } from "../credentials/sealed-secret.js";
import type { Tx } from "../db/client.js";
import type { ConnectorRegistry } from "./connector-registry.js";
import { currentConfig } from "./migrate-config.js";
import type { EndpointFacts } from "./endpoint-facts.js";
import type { HostedConnector } from "./hosted-connector.js";
import type { SecretMask } from "./secret-mask.js";

/** An endpoint ready for a call: its connector with parsed configuration and secrets. */
export interface LoadedEndpoint {
  readonly id: number;
  readonly key: string;
  readonly hosted: HostedConnector;
  readonly connector: Connector;
  /** Parsed by the connector's schema; of a connector in a worker as they were entered, because the worker parses them for each call. */
  readonly config: unknown;
  readonly secrets: unknown;
  /** What they mean to the connector. */
  readonly facts: EndpointFacts;
  /** Which of its credentials the secrets are; null: the workspace's. */
  readonly credentialId: number | null;
  /** Names that may lead into private networks. */
  readonly privateHosts: readonly string[];
}

/** Which of an endpoint's secrets: those that runs work with, or those of one credential, null for the workspace's own. */
export type CredentialChoice = "in-force" | { readonly id: number | null };

/** Which endpoint: by id inside the server, by key where people name it. */
export type EndpointName = { readonly id: number } | { readonly key: string };

/**
 * Loads an endpoint, opens its secrets (they are masked from then on) and parses both by the connector's own schema. What does not fit is a
 * ConnectorError of kind `config`: somebody has to mend the endpoint. Throws QSC_ENDPOINT_NOT_FOUND.
 */
export async function loadEndpoint(
  tx: Tx,
  options: {
    readonly endpoint: EndpointName;
    readonly connectors: Pick<ConnectorRegistry, "find" | "whyNot">;
    readonly keyRing: KeyRing;
    readonly mask: SecretMask;
    readonly credential?: CredentialChoice;
    /** Values in the place of the stored ones, to see whether they fit. */
    readonly trial?: SecretValues;
  },
): Promise<LoadedEndpoint> {
  const { endpoint, connectors, mask } = options;
  const condition = "id" in endpoint ? sql`e.id = ${endpoint.id}` : sql`e.key = ${endpoint.key}`;
  const row = await endpointRow(tx, condition, options.credential ?? "in-force");
  if (row === undefined) {
    throw new DomainError(
      "QSC_ENDPOINT_NOT_FOUND",
      `There is no endpoint ${"id" in endpoint ? `with the id ${endpoint.id}` : `"${endpoint.key}"`}.`,
      { field: "endpoint" },
    );
  }
  const hosted = connectors.find(row.connector);
  if (hosted === undefined)
    throw new ConnectorError("config", `Endpoint "${row.key}" cannot be used: ${connectors.whyNot(row.connector)}`, { field: "connector" });
  const { connector } = hosted;
  const values = { ...openSecrets(row, options.keyRing), ...options.trial };
  mask.add(Object.values(values));
  const settings = {
    hosted,
    parse: (value: unknown) => parsed(connector.config, value, `The configuration of endpoint "${row.key}"`, mask),
  };
  const config = await currentConfig(tx, row, settings);
  const secrets = await parsed(connector.secrets, values, `The secrets of endpoint "${row.key}"`, mask);
  // A connector in this thread is asked when it is needed.
  const streams = hosted.isolation === "worker" && connector.write !== undefined ? await streamsInto(tx, row.id) : [];
  const facts = await hosted.factsOf({ config, secrets, streams });
  const { id, key, credentialId, privateHosts } = row;
  return { id, key, hosted, connector, config, secrets, facts, credentialId, privateHosts };
}

interface EndpointRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: string;
  readonly connector: string;
  readonly config: Json;
  /** The connector's configVersion that it was written for; null: nobody has looked since it was saved. */
  readonly configVersion: number | null;
  readonly privateHosts: readonly string[];
  readonly sealed: readonly { readonly name: string; readonly sealed: unknown }[];
  readonly credentialId: number | null;
  /** What stands in the place of these. */
  readonly rotated: unknown;
}

async function endpointRow(tx: Tx, condition: SQL, credential: CredentialChoice): Promise<EndpointRow | undefined> {
  const chosen = credential === "in-force" ? sql`c.in_force` : sql`c.id = ${credential.id}::bigint`;
  const rows = await tx.execute<EndpointRow>(sql`
    select e.id, e.key, e.connector, e.config, e.config_version as "configVersion", e.allow_private as "privateHosts",
      coalesce((select jsonb_agg(jsonb_build_object('name', s.name, 'sealed', s.sealed)) from endpoint_secret as s where s.endpoint_id = e.id), '[]') as sealed,
      c.id as "credentialId", coalesce(c.secrets, '{}') as rotated
    from endpoint as e left join credential as c on c.endpoint_id = e.id and ${chosen} where ${condition}`);
  return rows[0];
}

/** The streams that integrations write to an endpoint. */
async function streamsInto(tx: Tx, endpointId: number): Promise<readonly string[]> {
  const rows = await tx.execute<{ stream: string }>(sql`
    select coalesce(s ->> 'target', s ->> 'stream') as stream
    from integration as i cross join jsonb_array_elements(i.streams) as s where i.target_endpoint_id = ${endpointId}
    union
    select s ->> 'stream' from integration as i cross join jsonb_array_elements(i.streams) as s where i.source_endpoint_id = ${endpointId} and s ? 'twoWay'`);
  return rows.map(({ stream }) => stream);
}

function openSecrets(row: EndpointRow, keyRing: KeyRing): { readonly [name: string]: string } {
  try {
    const rotated = openCredential(keyRing, row.key, row.rotated);
    const own = row.sealed.filter(({ name }) => !(name in rotated));
    return {
      ...Object.fromEntries(
        own.map(({ name, sealed }) => [name, open(keyRing, { endpoint: row.key, name }, sealedSecretSchema.parse(sealed))]),
      ),
      ...rotated,
    };
  } catch (error) {
    // A wrong master key or a changed row: a person has to act, so the integration waits.
    if (error instanceof DomainError) throw new ConnectorError("config", error.message, { cause: error });
    throw error;
  }
}

async function parsed(schema: Connector["config"], value: unknown, what: string, mask: SecretMask): Promise<unknown> {
  const result = await parseSettings(schema, value);
  if (result.ok) return result.value;
  const [first] = result.issues;
  const problems = result.issues.map((issue) => `${issue.path === "" ? "the whole" : issue.path}: ${issue.message}`).join("; ");
  throw new ConnectorError("config", mask.text(`${what} does not fit the connector: ${problems}.`), { field: first?.path });
}
