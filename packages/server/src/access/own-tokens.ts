import { DomainError, type Grant } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import { lockPrincipal } from "./principal-store.js";
import { insertToken, type NewToken, revokeTokenIn } from "./tokens.js";

const DAY_MS = 86_400_000;
/** The provider's word about a person is asked at sign-ins alone: a token must not outlive the memory of it for long. */
const LONGEST_DAYS = 90;
const MAX_OWN_TOKENS = 20;

/** Who makes or ends a token for the command line and scripts of their own. */
export interface TokenPerson {
  readonly principalId: number;
  /** What the session may do. */
  readonly grants: readonly Grant[];
  /** A token must not make itself a successor. */
  readonly hasSession: boolean;
}

/**
 * Makes a token that acts in the person's name, with what the person may do, and never more than the person may at the time of use. It ends within
 * 90 days. Throws QSC_ACCESS_SESSION_NEEDED, QSC_ACCESS_TOKEN_LIMIT, QSC_ACCESS_TOKEN_NAME, QSC_ACCESS_TOKEN_EXPIRY.
 */
export function createOwnToken(
  context: CommandContext,
  person: TokenPerson,
  input: { readonly name: string; readonly expiresAt: number },
): Promise<NewToken> {
  if (!person.hasSession)
    throw new DomainError("QSC_ACCESS_SESSION_NEEDED", "Tokens of one's own are made in a browser's session. Sign in at /auth/sign-in.");
  return inTransaction(context, async (tx) => {
    const account = await lockPrincipal(tx, person.principalId);
    if (account === null) throw new Error("A caller has no account.");
    const latest = (await readNow(tx)) + LONGEST_DAYS * DAY_MS;
    if (input.expiresAt > latest)
      throw new DomainError(
        "QSC_ACCESS_TOKEN_EXPIRY",
        `A token of one's own ends within ${LONGEST_DAYS} days, by ${new Date(latest).toISOString()}. Give an earlier time, or ask an admin for a service account.`,
        { field: "expiresAt" },
      );
    const [valid] = await tx.execute<{ n: number }>(sql`
      select count(*)::int as n from api_token where principal_id = ${account.id} and revoked_at is null and (expires_at is null or expires_at > app_now())`);
    if ((valid?.n ?? 0) >= MAX_OWN_TOKENS)
      throw new DomainError("QSC_ACCESS_TOKEN_LIMIT", `You have ${MAX_OWN_TOKENS} tokens that are valid. End one first: revokeOwnToken.`);
    return insertToken(tx, context.actor, { ...input, grants: person.grants, account: account.name });
  });
}

/** Ends a token of the person's own at once. Throws QSC_ACCESS_TOKEN_NOT_FOUND, also for one of somebody else. */
export function revokeOwnToken(
  context: CommandContext,
  person: Pick<TokenPerson, "principalId">,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute(sql`select from api_token where id = ${input.id} and principal_id = ${person.principalId}`);
    if (rows.length === 0)
      throw new DomainError("QSC_ACCESS_TOKEN_NOT_FOUND", `There is no token ${input.id} of yours. List them: me { tokens { key } }.`, {
        field: "key",
      });
    return revokeTokenIn(tx, context.actor, input);
  });
}
