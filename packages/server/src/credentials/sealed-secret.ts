import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { DomainError } from "@quiesce/core";
import { z } from "zod";
import type { KeyRing, MasterKey } from "./master-key.js";

/** A secret's value is at most so many bytes: room for a private key, not for a file. */
export const SECRET_MAX_BYTES = 64 * 1024;

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Which secret this is. It is authenticated with the value, so that one secret's row cannot be passed off as another's. */
export interface SecretAddress {
  /** The endpoint's key. */
  readonly endpoint: string;
  readonly name: string;
  /** 1 for the first value, one more for every new one: an older value cannot be put back unseen. */
  readonly version: number;
}

const boxSchema = z.strictObject({ iv: z.base64(), tag: z.base64(), text: z.base64() });

/** One AES-256-GCM ciphertext; the parts are base64. */
type Box = z.output<typeof boxSchema>;

/** The stored form: the value under its own data key, the data key under the master key `keyId`. Safe to store, not to show. */
export const sealedSecretSchema = z.strictObject({
  format: z.literal(1),
  keyId: z.string(),
  version: z.int().min(1),
  dataKey: boxSchema,
  value: boxSchema,
});

/** See {@link sealedSecretSchema}. */
export type SealedSecret = z.output<typeof sealedSecretSchema>;

/** Seals a value for one address under a fresh data key. Throws a DomainError when it is empty or too long. */
export function seal(ring: KeyRing, address: SecretAddress, value: string): SealedSecret {
  const bytes = Buffer.from(value, "utf8");
  if (bytes.length === 0 || bytes.length > SECRET_MAX_BYTES) {
    throw new DomainError(
      "QSC_CREDENTIALS_SECRET_LENGTH",
      `The secret "${address.name}" of endpoint "${address.endpoint}" has ${bytes.length} bytes, expected 1 to ${SECRET_MAX_BYTES}.`,
    );
  }
  const dataKey = randomBytes(32);
  return {
    format: 1,
    keyId: ring.current.id,
    version: address.version,
    dataKey: encrypt(ring.current.key, dataKey, aad(address, "data key")),
    value: encrypt(dataKey, bytes, aad(address, "value")),
  };
}

/** Opens a sealed value. Throws a DomainError when its master key is not at hand, or when row, address or key were tampered with. */
export function open(ring: KeyRing, address: Omit<SecretAddress, "version">, sealed: SealedSecret): string {
  const full = { ...address, version: sealed.version };
  const dataKey = openDataKey(ring, full, sealed);
  return decrypt(dataKey, sealed.value, aad(full, "value"), full).toString("utf8");
}

/**
 * A name for the sealed value that may be shown and compared: an HMAC under a key derived from the secret's own data key. Equal values of two
 * secrets have different fingerprints, and a rotation of the master key changes none.
 */
export function fingerprint(ring: KeyRing, address: Omit<SecretAddress, "version">, sealed: SealedSecret, value: string): string {
  const dataKey = openDataKey(ring, { ...address, version: sealed.version }, sealed);
  const key = Buffer.from(hkdfSync("sha256", dataKey, "", "quiesce secret fingerprint", 32));
  return `hmac-${createHmac("sha256", key).update(value, "utf8").digest("hex").slice(0, 32)}`;
}

/** True when `value` is what was sealed, judged by the stored fingerprint, without opening the stored value. */
export function isSealedValue(options: {
  readonly ring: KeyRing;
  readonly address: Omit<SecretAddress, "version">;
  readonly sealed: SealedSecret;
  readonly fingerprint: string;
  readonly value: string;
}): boolean {
  const found = Buffer.from(fingerprint(options.ring, options.address, options.sealed, options.value));
  const stored = Buffer.from(options.fingerprint);
  return found.length === stored.length && timingSafeEqual(found, stored);
}

/** Seals the data key again under the ring's current master key. The value's ciphertext, version and fingerprint stay as they are. */
export function rewrap(ring: KeyRing, address: Omit<SecretAddress, "version">, sealed: SealedSecret): SealedSecret {
  if (sealed.keyId === ring.current.id) return sealed;
  const full = { ...address, version: sealed.version };
  const dataKey = openDataKey(ring, full, sealed);
  return { ...sealed, keyId: ring.current.id, dataKey: encrypt(ring.current.key, dataKey, aad(full, "data key")) };
}

function openDataKey(ring: KeyRing, address: SecretAddress, sealed: SealedSecret): Buffer {
  const master: MasterKey | undefined = [ring.current, ...ring.previous].find((key) => key.id === sealed.keyId);
  if (master === undefined) {
    throw new DomainError(
      "QSC_CREDENTIALS_OTHER_MASTER_KEY",
      `The secret "${address.name}" of endpoint "${address.endpoint}" was sealed by the master key ${sealed.keyId}, but the key at hand is ${ring.current.id}. ` +
        "Start the server with the right QUIESCE_MASTER_KEY or key file, or give the secret again.",
      { details: { sealedBy: sealed.keyId, atHand: ring.current.id } },
    );
  }
  return decrypt(master.key, sealed.dataKey, aad(address, "data key"), address);
}

function aad(address: SecretAddress, part: "data key" | "value"): Buffer {
  // JSON, because a plain separator could occur in a name and let two addresses read alike.
  return Buffer.from(JSON.stringify(["quiesce-secret-1", part, address.endpoint, address.name, address.version]));
}

function encrypt(key: Buffer, plain: Buffer, authenticated: Buffer): Box {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv: iv.toString("base64"), tag: cipher.getAuthTag().toString("base64"), text: text.toString("base64") };
}

function decrypt(key: Buffer, box: Box, authenticated: Buffer, address: SecretAddress): Buffer {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(box.iv, "base64"), { authTagLength: TAG_BYTES });
    decipher.setAAD(authenticated);
    decipher.setAuthTag(Buffer.from(box.tag, "base64"));
    return Buffer.concat([decipher.update(Buffer.from(box.text, "base64")), decipher.final()]);
  } catch (cause) {
    throw new DomainError(
      "QSC_CREDENTIALS_TAMPERED",
      `The stored secret "${address.name}" of endpoint "${address.endpoint}" (version ${address.version}) does not open: it was changed, or belongs to another endpoint. Give the secret again.`,
      { cause },
    );
  }
}
