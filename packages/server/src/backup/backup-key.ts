import { createHmac, hkdfSync, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { DomainError } from "@quiesce/core";
import { z } from "zod";

/** What opens a backup: a passphrase, or 32 bytes of a key file. */
export type BackupSecret =
  | { readonly from: "passphrase"; readonly passphrase: string }
  | { readonly from: "key-file"; readonly key: Buffer };

/** The keys of one file. */
export interface BackupKey {
  readonly frames: Buffer;
  /** Says whether a secret is the right one before anything is opened. */
  readonly check: string;
}

/** 128 MiB and a third of a second a guess (OWASP's first choice for scrypt). */
const cost = { N: 2 ** 17, r: 8, p: 1 } as const;
/** A file from elsewhere must not order more memory than this. */
const maxMemoryBytes = 512 * 1024 * 1024;
const minPassphrase = 12;

/** How the key is made of the secret; stands in the header of the file. */
export const keyRecipeSchema = z.discriminatedUnion("from", [
  z.strictObject({
    from: z.literal("passphrase"),
    kdf: z.literal("scrypt"),
    N: z
      .int()
      .min(2 ** 14)
      .max(2 ** 20),
    r: z.int().min(8).max(16),
    p: z.int().min(1).max(4),
  }),
  z.strictObject({ from: z.literal("key-file") }),
]);
export type KeyRecipe = z.output<typeof keyRecipeSchema>;

export const newSalt = (): Buffer => randomBytes(32);

/** The recipe for a new file. Throws QSC_BACKUP_KEY for a passphrase that is quickly guessed. */
export function recipeFor(secret: BackupSecret): KeyRecipe {
  if (secret.from === "key-file") return { from: "key-file" };
  if (secret.passphrase.length < minPassphrase) {
    throw new DomainError(
      "QSC_BACKUP_KEY",
      `The passphrase has ${secret.passphrase.length} characters, expected at least ${minPassphrase}: whoever gets the file can try as long as they like.`,
    );
  }
  return { from: "passphrase", kdf: "scrypt", ...cost };
}

/** Makes the keys of a file. Throws QSC_BACKUP_KEY for a secret of the other kind. */
export async function deriveKey(secret: BackupSecret, recipe: KeyRecipe, salt: Buffer): Promise<BackupKey> {
  if (secret.from !== recipe.from) {
    const wanted = recipe.from === "passphrase" ? "a passphrase (--passphrase-file, QUIESCE_BACKUP_PASSPHRASE)" : "a key file (--key-file)";
    throw new DomainError("QSC_BACKUP_KEY", `This backup was made with ${wanted}. Give that.`);
  }
  const material = secret.from === "key-file" ? secret.key : await stretch(secret.passphrase, recipe, salt);
  const part = (use: string, bytes: number): Buffer => Buffer.from(hkdfSync("sha256", material, salt, `quiesce backup ${use}`, bytes));
  return { frames: part("frames", 32), check: createHmac("sha256", part("check", 32)).update(salt).digest("hex").slice(0, 32) };
}

/** Throws QSC_BACKUP_KEY when the secret is not the one that the file was made with. */
export function requireKey(key: BackupKey, check: string): void {
  if (key.check.length === check.length && timingSafeEqual(Buffer.from(key.check), Buffer.from(check))) return;
  throw new DomainError("QSC_BACKUP_KEY", "The passphrase or key file is not the one that this backup was made with.");
}

function stretch(passphrase: string, recipe: KeyRecipe, salt: Buffer): Promise<Buffer> {
  const { N, r, p } = recipe.from === "passphrase" ? recipe : cost;
  return new Promise((resolve, reject) => {
    // The same letters may come composed or decomposed from another keyboard.
    scrypt(passphrase.normalize("NFC"), salt, 32, { N, r, p, maxmem: maxMemoryBytes }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
