import { type AuditHead, headText, type SignedHead } from "@quiesce/core";
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, verify } from "node:crypto";
import type { MasterKey } from "../credentials/master-key.js";
import { sha256 } from "./sha256.js";

/** PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410). */
const privateKeyStart = Buffer.from("302e020100300506032b657004220420", "hex");

/** Derived from the master key, so that it is in no table: whoever owns the database alone can sign nothing. */
function signingKey(master: MasterKey): KeyObject {
  const seed = Buffer.from(hkdfSync("sha256", master.key, "", "quiesce audit head signing key", 32));
  return createPrivateKey({ key: Buffer.concat([privateKeyStart, seed]), format: "der", type: "pkcs8" });
}

/** Signs a head with Ed25519. */
export function signHead(master: MasterKey, head: AuditHead): SignedHead {
  const key = signingKey(master);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  const { position, hash, sealedAt, epoch } = head;
  const signature = sign(null, Buffer.from(headText(head), "utf8"), key).toString("base64");
  return { position, hash, sealedAt, epoch, keyId: keyIdOf(publicKey), publicKey, signature };
}

/** Whether a signature is that of the key that the head names. Whose key that is, is another question. */
export function isSignedAsSaid(head: SignedHead): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(head.publicKey, "base64"), format: "der", type: "spki" });
    return (
      key.asymmetricKeyType === "ed25519" &&
      head.keyId === keyIdOf(head.publicKey) &&
      verify(null, Buffer.from(headText(head), "utf8"), key, Buffer.from(head.signature, "base64"))
    );
  } catch {
    // No key at all.
    return false;
  }
}

function keyIdOf(publicKey: string): string {
  return sha256(publicKey).slice(0, 16);
}
