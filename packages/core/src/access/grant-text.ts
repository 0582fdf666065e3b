import { type Grant, roles } from "./can.js";
import { type AccessScope, scopeKinds } from "./scope.js";

type NarrowScope = Exclude<AccessScope, { kind: "all" }>;
const narrowKinds = scopeKinds.filter((kind): kind is NarrowScope["kind"] => kind !== "all");

/** What `parseGrant` takes, for messages. */
export const grantForm = `role or role@${narrowKinds.join("|")}:name, with a role of ${roles.join(", ")}`;

/** A grant as settings and the command line write it: `viewer`, `operator@team:erp`; null for anything else. */
export function parseGrant(text: string): Grant | null {
  const at = text.indexOf("@");
  const name = at < 0 ? text.trim() : text.slice(0, at).trim();
  const role = roles.find((one) => one === name);
  if (role === undefined) return null;
  if (at < 0) return { role, scope: { kind: "all" } };
  const scope = text.slice(at + 1).trim();
  const kind = narrowKinds.find((one) => scope.startsWith(`${one}:`));
  const what = kind === undefined ? "" : scope.slice(kind.length + 1).trim();
  return kind === undefined || what === "" ? null : { role, scope: { kind, name: what } };
}

/** The same form: parseGrant(formatGrant(grant)) is the grant. */
export function formatGrant({ role, scope }: Grant): string {
  return scope.kind === "all" ? role : `${role}@${scope.kind}:${scope.name}`;
}
