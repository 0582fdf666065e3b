import { canonicalJson } from "./canonical-json.js";
import type { ChainPlace } from "./audit-entry.js";

/** What a chain ended with at some moment, to be kept where its database's owner cannot reach. */
export interface AuditHead extends ChainPlace {
  readonly sealedAt: string;
  /** The deployment's epoch; a restore from a backup begins another. */
  readonly epoch: string;
}

/** A head with an Ed25519 signature over its text; key and signature in base64. */
export interface SignedHead extends AuditHead {
  readonly keyId: string;
  readonly publicKey: string;
  readonly signature: string;
}

/** The text that is signed. */
export function headText({ position, hash, sealedAt, epoch }: AuditHead): string {
  return canonicalJson({ quiesceAuditHead: 1, position, hash, sealedAt, epoch });
}

/** Why a head that was recorded does not fit the chain; null: it fits. `hash`: what the chain has at its position; null: nothing. */
export function headProblem(
  head: AuditHead,
  chain: { readonly hash: string | null; readonly last: number; readonly epoch: string },
): string | null {
  if (chain.hash === head.hash) return null;
  const recorded = `The head of position ${head.position}, recorded ${head.sealedAt}, does not fit`;
  const restored =
    chain.epoch === head.epoch ? "" : ` The epoch is another as well: if a backup was restored on purpose, that explains it.`;
  if (chain.hash === null && head.position > chain.last)
    return `${recorded}: the chain ends at position ${chain.last}. Its last entries were deleted.${restored}`;
  if (chain.hash === null) return `${recorded}: there is no entry at its position.${restored}`;
  return `${recorded}: the chain has another hash there. Entries up to it were changed, and the chain was made anew.${restored}`;
}
