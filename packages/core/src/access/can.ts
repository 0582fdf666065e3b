/** What a token may be. Values are the database's and the API's words. */
export const roles = ["viewer", "operator", "approver", "connector-author", "auditor", "admin"] as const;
export type Role = (typeof roles)[number];

/** Everything that can be asked for, in one list: what is not here cannot be allowed. */
export const actions = [
  "catalogue.read",
  "catalogue.write",
  "endpoint.check",
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
  "gate.read",
  "gate.enter",
  "events.read",
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

/** Where a principal's role holds. Narrower scopes (team, system, integration) come beside "all". */
export type AccessScope = { readonly kind: "all" };

/** Somebody who was recognised by a credential. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
  readonly scope: AccessScope;
}

/** The thing that is asked for; without one the question is about all things of its kind. */
export interface Resource {
  readonly kind: "system" | "endpoint" | "integration" | "job" | "run" | "window" | "hold" | "token";
  readonly key: string;
}

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
    "gate.enter",
    "endpoint.check",
    "notifications.send",
  ],
  approver: [...look, "windows.write", "windows.approve", "windows.override-freeze", "runs.break-glass", "audit.read"],
  "connector-author": [...look, "endpoint.check", "records.read"],
  auditor: [...look, "audit.read", "tokens.read"],
  admin: actions,
} as const satisfies { readonly [role in Role]: readonly Action[] };

/** The one rule table of GraphQL, REST, sockets and the command line. Denies whatever no rule allows. */
export function can(principal: Principal, action: Action, _resource?: Resource): boolean {
  const allowed: readonly Action[] = Object.hasOwn(rules, principal.role) ? rules[principal.role] : [];
  return principal.scope.kind === "all" && allowed.includes(action);
}
