import { hkdfSync, randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
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
  const [current] = await loadKeyFile(options.keyFile);
  return current;
}

/**
 * The keys at hand: as {@link loadMasterKey}, and those that only open secrets, which are the further lines of the key file and `others` (the
 * configuration's QUIESCE_OTHER_MASTER_KEYS).
 */
export async function loadKeyRing(options: {
  readonly keyFile: string;
  readonly value?: string | undefined;
  readonly others?: readonly string[];
}): Promise<KeyRing> {
  const [current, ...inFile] =
    options.value === undefined ? await loadKeyFile(options.keyFile) : ([parseMasterKey(options.value)] as const);
  const previous = [...inFile, ...(options.others ?? []).map(parseMasterKey)].filter((key) => key.id !== current.id);
  return { current, previous: [...new Map(previous.map((key) => [key.id, key])).values()] };
}

/** The keys of a file, one a line; the first is the one that seals. */
async function loadKeyFile(keyFile: string): Promise<readonly [MasterKey, ...MasterKey[]]> {
  if (!(await exists(keyFile))) await createKeyFile(keyFile);
  const { mode } = await stat(keyFile);
  // Windows has no such bits.
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new DomainError(
      "QSC_CREDENTIALS_MASTER_KEY_FILE",
      `The master key file ${keyFile} has mode ${(mode & 0o777).toString(8)}, expected 600: others could read it. Run: chmod 600 ${keyFile}`,
    );
  }
  const [first = "", ...rest] = keyLines(await readFile(keyFile, "utf8"));
  return [parseMasterKey(first), ...rest.map(parseMasterKey)];
}

function keyLines(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Puts a fresh key before those of a file: the next start of a server seals with it, and still opens what the others have sealed. */
export async function addMasterKey(keyFile: string): Promise<{ readonly added: string; readonly others: readonly string[] }> {
  const present = await loadKeyFile(keyFile);
  const key = masterKeyOf(randomBytes(MASTER_KEY_BYTES));
  await replaceKeyFile(keyFile, [key, ...present]);
  return { added: key.id, others: present.map(({ id }) => id) };
}

/** Leaves the first key of a file alone in it. Ask before whether anything is sealed by the others. */
export async function dropOtherMasterKeys(keyFile: string): Promise<readonly string[]> {
  const [current, ...others] = await loadKeyFile(keyFile);
  if (others.length > 0) await replaceKeyFile(keyFile, [current]);
  return others.map(({ id }) => id);
}

/** Whole or not at all: a server that starts meanwhile reads the keys of before or those of after. */
async function replaceKeyFile(keyFile: string, keys: readonly MasterKey[]): Promise<void> {
  const draft = await writeDraft(keyFile, keys.map(({ key }) => `${key.toString("base64")}\n`).join(""));
  await rename(draft, keyFile);
}

async function createKeyFile(keyFile: string): Promise<void> {
  await mkdir(dirname(keyFile), { recursive: true });
  const draft = await writeDraft(keyFile, `${randomBytes(MASTER_KEY_BYTES).toString("base64")}\n`);
  try {
    // A link fails when the name exists: of two servers that start together one makes the key and both read it, whole.
    await link(draft, keyFile);
  } catch (error) {
    if (!(await exists(keyFile))) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(keyFile: string, text: string): Promise<string> {
  const draft = `${keyFile}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(draft, 0o600);
  return draft;
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
