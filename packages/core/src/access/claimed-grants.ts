import { type Grant, maxGrants, type Role } from "./can.js";
import { grantForm, parseGrant } from "./grant-text.js";

/** One line of the mapping: who has `value` in the claim has the grant. */
export interface ClaimMapping {
  readonly value: string;
  readonly grant: Grant;
}

const MAX_MAPPINGS = 500;
/** A claim with more values than these is no list of groups. */
const MAX_VALUES = 5_000;
const NAME_MAX = 200;

/**
 * Reads a mapping as settings write it: `platform=admin, erp-ops=operator@team:erp`. A value may hold an equals sign, the last one counts.
 * What does not fit is answered in words.
 */
export function parseClaimMapping(text: string): readonly ClaimMapping[] | string {
  const lines = text.split(",").map((part) => part.trim());
  const mappings: ClaimMapping[] = [];
  for (const line of lines.filter((part) => part !== "")) {
    const at = line.lastIndexOf("=");
    const value = line.slice(0, Math.max(at, 0)).trim();
    const grant = parseGrant(line.slice(at + 1));
    if (value === "" || grant === null) return `Expected group=grant, a grant being ${grantForm}; found "${line}".`;
    mappings.push({ value, grant });
  }
  return mappings.length > MAX_MAPPINGS ? `Expected at most ${MAX_MAPPINGS} groups, found ${mappings.length}.` : mappings;
}

/** What somebody with these claims may do: the grants of every line that fits, and of the default role where none does. Empty: there is no way in. */
export function claimedGrants(
  claims: { readonly [name: string]: unknown },
  rule: { readonly claim: string; readonly mappings: readonly ClaimMapping[]; readonly defaultRole: Role | null },
): readonly Grant[] {
  const values = new Set(valuesOf(claimAt(claims, rule.claim)));
  const found = rule.mappings.filter(({ value }) => values.has(value)).map(({ grant }) => grant);
  const distinct = new Map(found.map((grant) => [JSON.stringify(grant), grant] as const));
  if (distinct.size > 0) return [...distinct.values()].slice(0, maxGrants);
  return rule.defaultRole === null ? [] : [{ role: rule.defaultRole, scope: { kind: "all" } }];
}

/** A claim by its name, or by a path such as realm_access.roles; names of claims may hold dots themselves, and come first. */
function claimAt(claims: { readonly [name: string]: unknown }, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split(".").reduce<unknown>((found, step) => memberOf(found, step), claims);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined;
}

function valuesOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_VALUES) : [value];
  return list.filter((one) => typeof one === "string");
}

/**
 * What a person is called here, for good: the claim, when it is text. An address that its provider has not verified is not believed, and `sub` is
 * the last resort: unique, and not for the person to choose.
 */
export function claimedName(claims: { readonly [name: string]: unknown; readonly sub: string }, claim: string): string {
  const value = claimAt(claims, claim);
  const isUnverified = claim === "email" && claims["email_verified"] === false;
  const name = typeof value === "string" && !isUnverified ? value.trim() : "";
  return name === "" || name.length > NAME_MAX || /\p{C}/u.test(name) ? claims.sub : name;
}
