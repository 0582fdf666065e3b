import { type Action, describeGrants, type Grant } from "./can.js";
import { areWithin, narrowestGrants } from "./narrowest-grants.js";

/** What a review looks at, one by one. Values are the database's and the API's words. */
export const accessSubjects = ["person", "service", "token"] as const;
export type AccessSubject = (typeof accessSubjects)[number];

/** What may be decided about one of them. */
export const accessDecisions = ["keep", "narrow", "revoke"] as const;
export type AccessDecision = (typeof accessDecisions)[number];

/** Everything that is said of somebody's access. */
export const accessFindings = [
  "never-used",
  "unused",
  "excessive",
  "too-early",
  "no-owner",
  "owner-unknown",
  "owner-disabled",
  "no-expiry",
  "disabled-with-tokens",
] as const;
export type AccessFinding = (typeof accessFindings)[number];

/** A person, a service account or a token, as its access is judged. Instants are epoch milliseconds. */
export interface AccessFacts {
  readonly subject: AccessSubject;
  /** Of a service account none: its tokens have their own. */
  readonly grants: readonly Grant[];
  /** An identity provider says at every sign-in what the person may do: narrowing has to be done there. */
  readonly grantedByProvider: boolean;
  readonly createdAt: number;
  /** null: never. */
  readonly lastUsedAt: number | null;
  /** When the account, or the account of the token, was disabled. */
  readonly disabledAt: number | null;
  /** Of a token: when it ends by itself. */
  readonly expiresAt: number | null;
  /** Who answers for a service account, and for its tokens: a team, or an account. */
  readonly owner: { readonly name: string; readonly state: "known" | "unknown" | "disabled" } | null;
  /** Valid tokens of an account. */
  readonly validTokens: number;
  /** Which actions it was allowed and used, and when last. */
  readonly used: readonly { readonly action: Action; readonly lastUsedAt: number }[];
  /** Since when use has been recorded at all; null: not yet. */
  readonly recordedSince: number | null;
}

/** What a reviewer might decide, and why. `decision` is null where there is only something to know, or to mend elsewhere. */
export interface AccessSuggestion {
  readonly finding: AccessFinding;
  readonly decision: Exclude<AccessDecision, "keep"> | null;
  /** With `narrow`: what would be left. */
  readonly grants: readonly Grant[] | null;
  readonly reason: string;
}

/** What was just made has had no time to be used. */
export const graceDays = 7;
export const unusedDaysRange = { least: 7, most: 730, usual: 90 } as const;
const DAY_MS = 86_400_000;

/**
 * What is unused, excessive, or nobody answers for, with reasons in words; the weightiest first. Whatever is suggested, an action that was used
 * within the days stays allowed wherever it was.
 */
export function suggestForAccess(
  facts: AccessFacts,
  now: number,
  { unusedDays }: { readonly unusedDays: number },
): readonly AccessSuggestion[] {
  const unused = judgeUse(facts, now, unusedDays);
  return [
    ...judgeDisabled(facts, now),
    ...unused,
    ...(unused.length > 0 || facts.disabledAt !== null ? [] : judgeExtent(facts, now, unusedDays)),
    ...judgeOwner(facts),
    ...(facts.subject === "token" && facts.expiresAt === null
      ? [only("no-expiry", "It never ends by itself. A token with an end is renewed, or forgotten without harm.")]
      : []),
  ];
}

/** The first suggestion that says what to decide; null: nothing speaks against keeping it. */
export function firstDecision(suggestions: readonly AccessSuggestion[]): AccessSuggestion | null {
  return suggestions.find(({ decision }) => decision !== null) ?? null;
}

function judgeDisabled({ subject, disabledAt, validTokens }: AccessFacts, now: number): readonly AccessSuggestion[] {
  if (disabledAt === null) return [];
  const since = `disabled for ${days(now - disabledAt)}`;
  if (subject === "token")
    return [
      {
        finding: "disabled-with-tokens",
        decision: "revoke",
        grants: null,
        reason: `Its account has been ${since}; whoever enables the account lets this token in again.`,
      },
    ];
  return validTokens === 0
    ? []
    : [
        only(
          "disabled-with-tokens",
          `It has been ${since} and has ${validTokens === 1 ? "a valid token" : `${validTokens} valid tokens`}, let in again when it is enabled. Revoke what nobody needs.`,
        ),
      ];
}

function judgeUse(
  { subject, createdAt, lastUsedAt, disabledAt }: AccessFacts,
  now: number,
  unusedDays: number,
): readonly AccessSuggestion[] {
  // Nobody can use what is disabled, and it need not be taken away once more.
  if (disabledAt !== null) return [];
  const revoke = { decision: "revoke", grants: null } as const;
  if (lastUsedAt === null)
    return now - createdAt < graceDays * DAY_MS
      ? []
      : [
          {
            finding: "never-used",
            ...revoke,
            reason: `Never ${subject === "person" ? "signed in" : "used"} in the ${days(now - createdAt)} since it was made.`,
          },
        ];
  return now - lastUsedAt < unusedDays * DAY_MS
    ? []
    : [{ finding: "unused", ...revoke, reason: `Not ${subject === "person" ? "seen" : "used"} for ${days(now - lastUsedAt)}.` }];
}

function judgeExtent(facts: AccessFacts, now: number, unusedDays: number): readonly AccessSuggestion[] {
  const { grants, used, recordedSince, createdAt, grantedByProvider } = facts;
  if (grants.length === 0) return [];
  const recordedDays = recordedSince === null ? 0 : Math.max(0, Math.floor((now - Math.max(recordedSince, createdAt)) / DAY_MS));
  if (recordedDays < unusedDays)
    return [
      only(
        "too-early",
        `Its use has been recorded for ${recordedDays} of ${unusedDays} days: too early to say whether it may do more than it needs.`,
      ),
    ];
  const lately = used.filter(({ lastUsedAt }) => now - lastUsedAt <= unusedDays * DAY_MS).map(({ action }) => action);
  const narrowed = narrowestGrants(grants, lately);
  // Somebody who comes and does nothing that needs a right may go on looking.
  const left = narrowed.length > 0 ? narrowed : narrowestGrants(grants, ["control.read"]);
  if (left.length === 0 || areWithin(grants, left)) return [];
  const did = lately.length === 0 ? "It used none of its rights" : `It used ${lately.toSorted().join(", ")}`;
  const reason = `${did} in ${unusedDays} days; ${describeGrants(left)} would do instead of ${describeGrants(grants)}.`;
  if (grantedByProvider) return [only("excessive", `${reason} Its rights come from the identity provider: take it out of a group there.`)];
  return [{ finding: "excessive", decision: "narrow", grants: left, reason }];
}

function judgeOwner({ subject, owner }: AccessFacts): readonly AccessSuggestion[] {
  if (subject !== "service") return [];
  if (owner === null) return [only("no-owner", "Nobody is named who answers for it.")];
  if (owner.state === "unknown") return [only("owner-unknown", `"${owner.name}" answers for it, and is neither a team nor an account.`)];
  return owner.state === "disabled" ? [only("owner-disabled", `"${owner.name}" answers for it, and is disabled.`)] : [];
}

function only(finding: AccessFinding, reason: string): AccessSuggestion {
  return { finding, decision: null, grants: null, reason };
}

function days(ms: number): string {
  const count = Math.max(0, Math.floor(ms / DAY_MS));
  return count === 1 ? "1 day" : `${count} days`;
}
