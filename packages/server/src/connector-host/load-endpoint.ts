import { DomainError, nearestName } from "@quiesce/core";
import { type Connector, ConnectorError, parseSettings } from "@quiesce/sdk";
import { type SQL, sql } from "drizzle-orm";
import type { KeyRing } from "../credentials/master-key.js";
import { open, sealedSecretSchema } from "../credentials/sealed-secret.js";
import type { Tx } from "../db/client.js";
import type { SecretMask } from "./secret-mask.js";

/** An endpoint ready for a call: its connector with parsed configuration and secrets. */
export interface LoadedEndpoint {
  readonly id: number;
  readonly key: string;
  readonly connector: Connector;
  readonly config: unknown;
  readonly secrets: unknown;
  /** Names that may lead into private networks. */
  readonly privateHosts: readonly string[];
}

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
    readonly connectors: ReadonlyMap<string, Connector>;
    readonly keyRing: KeyRing;
    readonly mask: SecretMask;
  },
): Promise<LoadedEndpoint> {
  const { endpoint, connectors, mask } = options;
  const condition = "id" in endpoint ? sql`e.id = ${endpoint.id}` : sql`e.key = ${endpoint.key}`;
  const row = await endpointRow(tx, condition);
  if (row === undefined) {
    throw new DomainError(
      "QSC_ENDPOINT_NOT_FOUND",
      `There is no endpoint ${"id" in endpoint ? `with the id ${endpoint.id}` : `"${endpoint.key}"`}.`,
      { field: "endpoint" },
    );
  }
  const connector = connectors.get(row.connector);
  if (connector === undefined) {
    const near = nearestName(row.connector, [...connectors.keys()]);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new ConnectorError(
      "config",
      `Endpoint "${row.key}" uses the connector "${row.connector}", which is not loaded. Loaded are ${[...connectors.keys()].join(", ")}.${hint}`,
      {
        field: "connector",
      },
    );
  }
  const values = openSecrets(row, options.keyRing);
  mask.add(Object.values(values));
  const config = await parsed(connector.config, row.config, `The configuration of endpoint "${row.key}"`, mask);
  const secrets = await parsed(connector.secrets, values, `The secrets of endpoint "${row.key}"`, mask);
  return { id: row.id, key: row.key, connector, config, secrets, privateHosts: row.privateHosts };
}

interface EndpointRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: string;
  readonly connector: string;
  readonly config: unknown;
  readonly privateHosts: readonly string[];
  readonly sealed: readonly { readonly name: string; readonly sealed: unknown }[];
}

async function endpointRow(tx: Tx, condition: SQL): Promise<EndpointRow | undefined> {
  const rows = await tx.execute<EndpointRow>(sql`
    select e.id, e.key, e.connector, e.config, e.allow_private as "privateHosts",
      coalesce((select jsonb_agg(jsonb_build_object('name', s.name, 'sealed', s.sealed)) from endpoint_secret as s where s.endpoint_id = e.id), '[]') as sealed
    from endpoint as e where ${condition}`);
  return rows[0];
}

function openSecrets(row: EndpointRow, keyRing: KeyRing): { readonly [name: string]: string } {
  try {
    return Object.fromEntries(
      row.sealed.map(({ name, sealed }) => [name, open(keyRing, { endpoint: row.key, name }, sealedSecretSchema.parse(sealed))]),
    );
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
