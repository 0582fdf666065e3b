import { type Action, actionsOf, type Grant, type Role, roles } from "./can.js";
import { type AccessScope, describeScope } from "./scope.js";

/** Every choice of roles, the empty one first. */
const choices: readonly (readonly Role[])[] = roles.reduce<readonly (readonly Role[])[]>(
  (before, role) => [...before, ...before.map((chosen) => [...chosen, role])],
  [[]],
);

/**
 * The grants that allow the used actions wherever they were allowed, and as little else as the roles can say. Where an action was used is not known, so
 * each scope keeps what it may have been used for; scopes are never changed, and nothing is allowed that was not before. Where nothing was
 * used, nothing stays.
 */
export function narrowestGrants(grants: readonly Grant[], used: readonly Action[]): readonly Grant[] {
  const scopes = new Map(grants.map(({ scope }) => [describeScope(scope), scope]));
  return [...scopes.values()].flatMap((scope) => {
    const held = allowedIn(
      grants.filter((grant) => describeScope(grant.scope) === describeScope(scope)).map(({ role }) => role),
      scope,
    );
    const needed = used.filter((action) => held.has(action));
    return narrowestRoles({ needed, held, scope }).map((role) => ({ role, scope }));
  });
}

/** Whether grants allow nothing, anywhere, that others do not. A scope within another one is not recognised: only the same one, and `all`. */
export function areWithin(grants: readonly Grant[], others: readonly Grant[]): boolean {
  return grants.every(({ role, scope }) => {
    const allowed = new Set(
      others.flatMap((other) =>
        other.scope.kind === "all" || describeScope(other.scope) === describeScope(scope) ? [...actionsOf(other.role, other.scope)] : [],
      ),
    );
    return actionsOf(role, scope).every((action) => allowed.has(action));
  });
}

function narrowestRoles(facts: {
  readonly needed: readonly Action[];
  readonly held: ReadonlySet<Action>;
  readonly scope: AccessScope;
}): readonly Role[] {
  const { needed, held, scope } = facts;
  const fitting = choices
    .map((chosen) => ({ chosen, allowed: allowedIn(chosen, scope) }))
    .filter(({ allowed }) => needed.every((action) => allowed.has(action)) && [...allowed].every((action) => held.has(action)))
    .toSorted((a, b) => a.allowed.size - b.allowed.size || a.chosen.length - b.chosen.length);
  return fitting[0]?.chosen ?? [];
}

function allowedIn(chosen: readonly Role[], scope: AccessScope): ReadonlySet<Action> {
  return new Set(chosen.flatMap((role) => actionsOf(role, scope)));
}
