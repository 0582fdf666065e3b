import { type AccessScope, covers, describeScope, type Resource, scopeKinds } from "./scope.js";

/** What somebody may be. Values are the database's and the API's words. */
export const roles = ["viewer", "operator", "approver", "connector-author", "auditor", "admin"] as const;
export type Role = (typeof roles)[number];

/** Everything that can be asked for, in one list: what is not here cannot be allowed. */
export const actions = [
  "catalogue.read",
  "catalogue.write",
  "endpoint.check",
  // Renewing the secrets of endpoints, and handing in new ones.
  "credentials.rotate",
  "windows.read",
  "windows.write",
  "windows.approve",
  // Planning a change inside a freeze all the same.
  "windows.override-freeze",
  "holds.write",
  "runs.read",
  "runs.write",
  // Running one job through a window that holds it.
  "runs.break-glass",
  // The contents of records that failed: personal data may be among them.
  "records.read",
  // Handing in records to be delivered.
  "records.push",
  // Handing in measurements.
  "samples.push",
  "gate.read",
  "gate.enter",
  "events.read",
  // Working on incidents: states, notes, owners, merging and splitting.
  "incidents.write",
  // Objectives, thresholds, and which anomalies raise alerts.
  "objectives.write",
  // Sending teams a test message, or a message once more.
  "notifications.send",
  "audit.read",
  // Taking personal values out of the audit trail for good.
  "audit.erase",
  "control.read",
  "control.write",
  "tokens.read",
  "tokens.write",
] as const;
export type Action = (typeof actions)[number];

/** A role and where it holds. */
export interface Grant {
  readonly role: Role;
  readonly scope: AccessScope;
}

/** Somebody who was recognised by a credential, with what was granted to them. Several grants add up. */
export interface Principal {
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** A principal has at most so many grants. */
export const maxGrants = 50;

const look = [
  "catalogue.read",
  "windows.read",
  "runs.read",
  "gate.read",
  "events.read",
  "control.read",
] as const satisfies readonly Action[];

const rules = {
  viewer: look,
  operator: [
    ...look,
    "windows.write",
    "holds.write",
    "runs.write",
    "runs.break-glass",
    "records.read",
    "records.push",
    "samples.push",
    "gate.enter",
    "endpoint.check",
    "credentials.rotate",
    "notifications.send",
    "incidents.write",
    "objectives.write",
  ],
  approver: [...look, "windows.write", "windows.approve", "windows.override-freeze", "runs.break-glass", "audit.read"],
  "connector-author": [...look, "endpoint.check", "records.read"],
  auditor: [...look, "audit.read", "tokens.read"],
  admin: actions,
} as const satisfies { readonly [role in Role]: readonly Action[] };

/** What concerns the deployment as a whole: a role over a part of it does not bring it. */
const ofTheDeployment: ReadonlySet<Action> = new Set<Action>([
  "catalogue.write",
  "audit.read",
  "audit.erase",
  "control.write",
  "tokens.read",
  "tokens.write",
]);

function allows(role: Role, action: Action): boolean {
  const allowed: readonly Action[] = Object.hasOwn(rules, role) ? rules[role] : [];
  return allowed.includes(action);
}

/** What a role allows within a scope: over a part, nothing that concerns the deployment as a whole. */
export function actionsOf(role: Role, scope: AccessScope): readonly Action[] {
  return actions.filter((action) => allows(role, action) && (scope.kind === "all" || !ofTheDeployment.has(action)));
}

/**
 * The one rule table of GraphQL, REST, sockets and the command line. Denies whatever no rule allows. Without a resource the question is whether
 * the action is allowed anywhere: then what is read is narrowed to `scopesFor`, and what is changed is asked about once more, by name.
 */
export function can(principal: Principal, action: Action, resource?: Resource): boolean {
  return scopesFor(principal, action).some((scope) => resource === undefined || covers(scope, resource));
}

/** Where a principal may do this, each scope once; empty: nowhere. One over all makes the others needless. */
export function scopesFor(principal: Principal, action: Action): readonly AccessScope[] {
  const scopes = principal.grants.filter(({ role }) => allows(role, action)).map(({ scope }) => scope);
  const everywhere = scopes.find(({ kind }) => kind === "all");
  if (everywhere !== undefined) return [everywhere];
  if (ofTheDeployment.has(action)) return [];
  return [...new Map(scopes.map((scope) => [describeScope(scope), scope])).values()];
}

/** Whether a principal may do this to everything there is and will be. */
export function canEverywhere(principal: Principal, action: Action): boolean {
  return can(principal, action, { kind: "deployment" });
}

/** "operator", or "viewer, operator of the team erp": for the audit trail and for sentences. */
export function describeGrants(grants: readonly Grant[]): string {
  return grants.map(({ role, scope }) => (scope.kind === "all" ? role : `${role} ${describeScope(scope)}`)).join(", ");
}

/** The grants that this version understands of what a database or a request holds; what it does not understand grants nothing. */
export function readGrants(value: unknown): readonly Grant[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, maxGrants).flatMap((item: unknown): readonly Grant[] => {
    const { role: roleName, scope } = fieldsOf(item);
    const { kind: kindName, name } = fieldsOf(scope);
    const role = roles.find((one) => one === roleName);
    const kind = scopeKinds.find((one) => one === kindName);
    if (role === undefined || kind === undefined) return [];
    if (kind === "all") return [{ role, scope: { kind } }];
    return typeof name === "string" && name !== "" ? [{ role, scope: { kind, name } }] : [];
  });
}

function fieldsOf(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
