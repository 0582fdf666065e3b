import { parseDurationMs, type SettledEndpoint } from "@quiesce/core";
import { and, eq, notInArray, sql } from "drizzle-orm";
import type { KeyRing } from "../../credentials/master-key.js";
import { placeTurns } from "../../connector-host/checks/check-turns.js";
import { certificateEnd } from "../../credentials/certificate-end.js";
import { dropReplaced } from "../../credentials/credential-store.js";
import { fingerprint, seal } from "../../credentials/sealed-secret.js";
import type { Tx } from "../../db/client.js";
import type { NewSecretValues } from "../settle-secrets.js";
import { endpoint, endpointSecret, system } from "../table.js";
import { idOf, idsOfKeys, inChunks } from "./key-ids.js";
import type { LoadedWorkspace } from "./load-workspace.js";

/** Writes endpoints, seals the secrets that are new, keeps the others and removes those that are not given any more. */
export async function saveEndpoints(
  tx: Tx,
  input: {
    readonly entries: readonly SettledEndpoint[];
    readonly values: NewSecretValues;
    readonly stored: LoadedWorkspace["secrets"];
    readonly keys: KeyRing;
    /** The configVersion of a connector, whose schema has taken the configurations; null: nobody has asked it. */
    readonly configVersionOf: (connector: string) => number | null;
  },
): Promise<void> {
  const { entries } = input;
  const systems = await idsOfKeys(
    tx,
    system,
    entries.map((entry) => entry.system),
  );
  for (const some of inChunks(entries)) {
    await tx
      .insert(endpoint)
      .values(
        some.map(({ key, name, connector, config, allowPrivate, rotation, checkEvery, system: systemKey }) => ({
          key,
          name,
          connector,
          config,
          configVersion: input.configVersionOf(connector),
          allowPrivate: [...allowPrivate],
          rotation,
          checkEveryMs: checkEvery === null ? null : (parseDurationMs(checkEvery) ?? null),
          systemId: idOf(systems, systemKey),
        })),
      )
      .onConflictDoUpdate({
        target: endpoint.key,
        set: {
          name: sql`excluded.name`,
          systemId: sql`excluded.system_id`,
          connector: sql`excluded.connector`,
          config: sql`excluded.config`,
          // One that is as it was keeps its version: it was not written anew.
          configVersion: sql`case when endpoint.config = excluded.config and endpoint.connector = excluded.connector then endpoint.config_version else excluded.config_version end`,
          allowPrivate: sql`excluded.allow_private`,
          rotation: sql`excluded.rotation`,
          checkEveryMs: sql`excluded.check_every_ms`,
          updatedAt: sql`app_now()`,
        },
      });
  }
  const ids = await idsOfKeys(
    tx,
    endpoint,
    entries.map((entry) => entry.key),
  );
  await placeTurns(tx, [...ids.values()]);
  for (const entry of entries) await saveSecrets(tx, { ...input, entry, endpointId: idOf(ids, entry.key) });
}

async function saveSecrets(
  tx: Tx,
  input: {
    readonly entry: SettledEndpoint;
    readonly endpointId: number;
    readonly values: NewSecretValues;
    readonly stored: LoadedWorkspace["secrets"];
    readonly keys: KeyRing;
  },
): Promise<void> {
  const { entry, endpointId, keys } = input;
  const stored = input.stored.get(entry.key);
  const names = Object.keys(entry.secrets);
  if (stored !== undefined && [...stored.keys()].some((name) => !names.includes(name))) {
    await tx
      .delete(endpointSecret)
      .where(and(eq(endpointSecret.endpointId, endpointId), names.length === 0 ? undefined : notInArray(endpointSecret.name, names)));
  }
  const given = input.values.get(entry.key) ?? new Map<string, string>();
  await dropReplaced(tx, { endpointId, names: [...given.keys()] });
  for (const [name, secret] of Object.entries(entry.secrets)) {
    const before = stored?.get(name);
    const value = given.get(name);
    if (value === undefined) {
      if (before?.source === secret.source) continue;
      await tx
        .update(endpointSecret)
        .set({ source: secret.source, updatedAt: sql`app_now()` })
        .where(and(eq(endpointSecret.endpointId, endpointId), eq(endpointSecret.name, name)));
      continue;
    }
    const address = { endpoint: entry.key, name };
    const sealed = seal(keys, { ...address, version: (before?.sealed.version ?? 0) + 1 }, value);
    const row = { source: secret.source, sealed, fingerprint: fingerprint(keys, address, sealed, value), expiresAt: certificateEnd(value) };
    await tx
      .insert(endpointSecret)
      .values({ endpointId, name, ...row })
      .onConflictDoUpdate({ target: [endpointSecret.endpointId, endpointSecret.name], set: { ...row, updatedAt: sql`app_now()` } });
  }
}
