import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../../db/client.js";
import { hashSecret } from "../secrets.js";
import type { SignInKeys } from "./identity-provider.js";

/** A person may look for a password and a phone. */
export const attemptLifetimeSeconds = 600;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
/** Attempts that nobody finished go when others begin. */
const SWEPT_AT_ONCE = 1_000;

/** Begins a sign-in. The browser keeps `secret` in a cookie; the database learns its SHA-256 and where to return to. */
export async function beginAttempt(database: Database, returnTo: string): Promise<{ readonly secret: string; readonly keys: SignInKeys }> {
  const secret = randomBytes(32).toString("base64url");
  await database.db.execute(sql`
    delete from sign_in_attempt where hash in (
      select hash from sign_in_attempt where expires_at <= app_now() limit ${SWEPT_AT_ONCE} for update skip locked)`);
  await database.db.execute(sql`
    insert into sign_in_attempt (hash, return_to, expires_at)
    values (${hashSecret(secret)}, ${returnTo}, app_now() + make_interval(secs => ${attemptLifetimeSeconds}))`);
  return { secret, keys: keysOf(secret) };
}

/**
 * Finishes a sign-in, which can be done once: the row is the proof that nobody did. The state ties the address to this browser's cookie, so that
 * nobody can have somebody else finish theirs. Throws QSC_ACCESS_SIGN_IN_OVER.
 */
export async function finishAttempt(
  database: Database,
  secret: string | null,
  state: string | null,
): Promise<{ readonly keys: SignInKeys; readonly returnTo: string }> {
  const refusal = new DomainError(
    "QSC_ACCESS_SIGN_IN_OVER",
    "This sign-in was finished before, took longer than ten minutes, or was begun in another browser or tab. Begin again.",
  );
  if (secret === null || !SECRET.test(secret)) throw refusal;
  const keys = keysOf(secret);
  if (state === null || !isSame(state, keys.state)) throw refusal;
  const [row] = await database.db.execute<{ returnTo: string; inTime: boolean }>(sql`
    delete from sign_in_attempt where hash = ${hashSecret(secret)} returning return_to as "returnTo", expires_at > app_now() as "inTime"`);
  if (row?.inTime !== true) throw refusal;
  return { keys, returnTo: row.returnTo };
}

/** One secret, three values of which none tells another. */
function keysOf(secret: string): SignInKeys {
  const derived = (label: string) => createHmac("sha256", secret).update(label).digest("base64url");
  return { state: derived("state"), nonce: derived("nonce"), codeVerifier: derived("code verifier") };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
