import { createHash, randomBytes } from "node:crypto";

/** 256 bits: there is nothing to guess, and a fast hash is enough. */
const SECRET_BYTES = 32;
const SHAPE = /^(qs[csl]_)[A-Za-z0-9_-]{43}$/;

/** What secrets begin with, so that a person, and a scanner of sources, knows them: API tokens, sessions, sign-in links. */
export const secretStarts = { token: "qsc_", session: "qss_", link: "qsl_" } as const;

/** A new secret. It exists only in this value: the database keeps {@link hashSecret} of it. */
export function newSecret(kind: keyof typeof secretStarts): string {
  return secretStarts[kind] + randomBytes(SECRET_BYTES).toString("base64url");
}

/** True for text that could be a secret of that kind; everything else is refused without asking the database. */
export function looksLikeSecret(kind: keyof typeof secretStarts, text: string): boolean {
  return SHAPE.exec(text)?.[1] === secretStarts[kind];
}

/** What the database knows of a secret: its SHA-256. */
export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}
