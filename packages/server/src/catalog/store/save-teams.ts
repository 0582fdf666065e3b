import type { SettledTeam } from "@quiesce/core";
import { and, eq, inArray, notInArray, sql } from "drizzle-orm";
import type { KeyRing } from "../../credentials/master-key.js";
import { fingerprint, seal } from "../../credentials/sealed-secret.js";
import type { Tx } from "../../db/client.js";
import { mailUrl } from "../../notifications/destination.js";
import { team, teamWebhook, webhookSecretAddress } from "../../notifications/table.js";
import type { NewSecretValues } from "../settle-secrets.js";
import { endpoint } from "../table.js";
import { idOf, idsOfKeys, inChunks } from "./key-ids.js";
import type { LoadedWorkspace } from "./load-workspace.js";

interface SavedTeams {
  readonly entries: readonly SettledTeam[];
  readonly values: NewSecretValues;
  readonly stored: LoadedWorkspace["secrets"];
  readonly keys: KeyRing;
}

/** Writes teams with their webhooks and mails; each is known by its address, and one that is not given any more goes. */
export async function saveTeams(tx: Tx, input: SavedTeams): Promise<void> {
  for (const entry of input.entries) {
    const { key, title } = entry;
    const [row] = await tx
      .insert(team)
      .values({ key, title })
      .onConflictDoUpdate({ target: team.key, set: { title, updatedAt: sql`app_now()` } })
      .returning({ id: team.id });
    if (row === undefined) throw new Error("An upsert returned no row.");
    await saveWebhooks(tx, { ...input, entry, teamId: row.id });
    await saveMails(tx, { entry, teamId: row.id });
  }
}

async function saveWebhooks(tx: Tx, input: SavedTeams & { readonly entry: SettledTeam; readonly teamId: number }): Promise<void> {
  const { entry, teamId, keys } = input;
  const urls = [...entry.webhooks.map((hook) => hook.url), ...entry.mails.map(({ to }) => mailUrl(to))];
  await tx
    .delete(teamWebhook)
    .where(and(eq(teamWebhook.teamId, teamId), urls.length === 0 ? undefined : notInArray(teamWebhook.url, urls)));
  for (const { url, events, observe, secret } of entry.webhooks) {
    const address = webhookSecretAddress(entry.key, url);
    const said = { events: [...events], observe, source: secret.source };
    const value = input.values.get(address.endpoint)?.get(url);
    if (value === undefined) {
      await tx
        .update(teamWebhook)
        .set(said)
        .where(and(eq(teamWebhook.teamId, teamId), eq(teamWebhook.url, url)));
      continue;
    }
    const version = (input.stored.get(address.endpoint)?.get(url)?.sealed.version ?? 0) + 1;
    const sealed = seal(keys, { ...address, version }, value);
    const row = { ...said, sealed, fingerprint: fingerprint(keys, address, sealed, value) };
    await tx
      .insert(teamWebhook)
      .values({ teamId, url, ...row })
      .onConflictDoUpdate({ target: [teamWebhook.teamId, teamWebhook.url], set: row });
  }
}

async function saveMails(tx: Tx, { entry, teamId }: { readonly entry: SettledTeam; readonly teamId: number }): Promise<void> {
  const ids = await idsOfKeys(
    tx,
    endpoint,
    entry.mails.map((mail) => mail.endpoint),
  );
  for (const { to, endpoint: key, stream, events, observe } of entry.mails) {
    const row = { endpointId: idOf(ids, key), stream, events: [...events], observe };
    await tx
      .insert(teamWebhook)
      .values({ teamId, url: mailUrl(to), ...row })
      .onConflictDoUpdate({ target: [teamWebhook.teamId, teamWebhook.url], set: row });
  }
}

/** Removes teams; what was still to be told them is told nobody. */
export async function deleteTeams(tx: Tx, keys: readonly string[]): Promise<void> {
  for (const some of inChunks(keys)) await tx.delete(team).where(inArray(team.key, [...some]));
}
