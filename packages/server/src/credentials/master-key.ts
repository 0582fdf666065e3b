import { hkdfSync, randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DomainError } from "@quiesce/core";

/** A master key is so many bytes, as AES-256 wants. */
export const MASTER_KEY_BYTES = 32;

/** The key that seals the data keys. Never log it: only `id` may be shown. */
export interface MasterKey {
  /** Sixteen hex digits derived from the key; says which key sealed a secret and tells nothing about it. */
  readonly id: string;
  readonly key: Buffer;
}

/** The keys at hand: `current` seals, every one opens. `previous` is needed only until all secrets are rewrapped. */
export interface KeyRing {
  readonly current: MasterKey;
  readonly previous: readonly MasterKey[];
}

/** Wraps 32 raw bytes. Throws a DomainError for any other length. */
export function masterKeyOf(key: Buffer): MasterKey {
  if (key.length !== MASTER_KEY_BYTES) {
    throw new DomainError(
      "QSC_CREDENTIALS_MASTER_KEY",
      `The master key has ${key.length} bytes, expected ${MASTER_KEY_BYTES}. Make one with: openssl rand -base64 32`,
    );
  }
  const id = Buffer.from(hkdfSync("sha256", key, "", "quiesce master key id", 8)).toString("hex");
  return { id, key };
}

/** Reads a key as text: 64 hex digits, or base64 (also URL-safe). Blanks around it do not count. */
export function parseMasterKey(text: string): MasterKey {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return masterKeyOf(Buffer.from(trimmed, "hex"));
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed)) {
    throw new DomainError(
      "QSC_CREDENTIALS_MASTER_KEY",
      "The master key is neither base64 nor 64 hex digits. Make one with: openssl rand -base64 32",
    );
  }
  return masterKeyOf(Buffer.from(trimmed, "base64"));
}

/**
 * The master key: from `value` if given (the configuration's QUIESCE_MASTER_KEY), else from `keyFile`, which is made with a fresh random key and
 * mode 0600 when absent. Throws a DomainError when the key is malformed or when others than its owner may read the file.
 */
export async function loadMasterKey(options: { readonly keyFile: string; readonly value?: string | undefined }): Promise<MasterKey> {
  if (options.value !== undefined) return parseMasterKey(options.value);
  const { keyFile } = options;
  if (!(await exists(keyFile))) await createKeyFile(keyFile);
  const { mode } = await stat(keyFile);
  // Windows has no such bits.
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new DomainError(
      "QSC_CREDENTIALS_MASTER_KEY_FILE",
      `The master key file ${keyFile} has mode ${(mode & 0o777).toString(8)}, expected 600: others could read it. Run: chmod 600 ${keyFile}`,
    );
  }
  return parseMasterKey(await readFile(keyFile, "utf8"));
}

async function createKeyFile(keyFile: string): Promise<void> {
  await mkdir(dirname(keyFile), { recursive: true });
  const draft = `${keyFile}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${randomBytes(MASTER_KEY_BYTES).toString("base64")}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await chmod(draft, 0o600);
    // A link fails when the name exists: of two servers that start together one makes the key and both read it, whole.
    await link(draft, keyFile);
  } catch (error) {
    if (!(await exists(keyFile))) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
