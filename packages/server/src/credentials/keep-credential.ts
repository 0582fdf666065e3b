import type { Tx } from "../db/client.js";
import { firstEnd } from "./certificate-end.js";
import { openCredential, sealCredential, type SecretValues } from "./credential-secrets.js";
import { inForce, insertCredential, nextVersion } from "./credential-store.js";
import type { KeyRing } from "./master-key.js";

/**
 * Keeps new values of an endpoint, not in force yet, with those that an earlier rotation changed and this one does not. Ask under the endpoint's lock.
 * Answers the credential's id and when the first of its values ends.
 */
export async function keepCredential(
  tx: Tx,
  input: {
    readonly keys: KeyRing;
    readonly endpointId: number;
    readonly endpoint: string;
    readonly source: "issued" | "handed-in";
    readonly values: SecretValues;
    /** When they end as far as is said; certificates say it themselves. */
    readonly expiresAt: number | null;
  },
): Promise<{ readonly id: number; readonly expiresAt: number | null }> {
  const { keys, endpointId, endpoint, source, values } = input;
  const before = await inForce(tx, endpointId);
  const old = before === null ? {} : openCredential(keys, endpoint, before.secrets);
  const kept = Object.fromEntries(Object.entries(old).filter(([name]) => !(name in values)));
  // The end of a kept token was said with it; that of a certificate is read again.
  const keptEnd =
    Object.values(kept).some((value) => firstEnd([value]) === null) && before?.expiresAt !== firstEnd(Object.values(old))
      ? (before?.expiresAt ?? null)
      : null;
  const all = { ...kept, ...values };
  const version = await nextVersion(tx, endpointId);
  const expiresAt = firstEnd(Object.values(all), [input.expiresAt, keptEnd]);
  const id = await insertCredential(tx, {
    endpointId,
    version,
    source,
    secrets: sealCredential(keys, { endpoint, version }, all),
    expiresAt,
  });
  return { id, expiresAt };
}
