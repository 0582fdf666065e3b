import { type AccessScope, DomainError, type Grant, maxGrants, roles, scopeKinds } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";

export const RoleEnum = capsEnum("TokenRole", "What somebody may do.", roles, {
  viewer: "Look at everything but records, the audit trail and tokens.",
  operator: "Also plan and end windows, pause, resume, run, cancel, enter the gate, see records.",
  approver: "Also plan windows and read the audit trail.",
  "connector-author": "Also check endpoints and see records.",
  auditor: "Also read the audit trail and the list of tokens.",
  admin: "Everything.",
});

const ScopeKindEnum = capsEnum("AccessScopeKind", "Where a role holds.", scopeKinds, {
  all: "Everywhere. Only such a grant reaches what belongs to the deployment: the workspace, the mode, the audit trail, tokens.",
  team: "For the systems and integrations that a team owns, for the integrations on its systems, and for its messages.",
  vendor: "For the systems and integrations of a vendor, and for the integrations on its systems.",
  system: "For a system and the integrations on whose route it is.",
  integration: "For an integration.",
});

const ScopeRef = builder.objectRef<AccessScope>("AccessScope").implement({
  description: "Where a role holds.",
  fields: (t) => ({
    kind: t.expose("kind", { type: ScopeKindEnum, description: "By what." }),
    name: t.string({
      nullable: true,
      description: "The key of the team, system or integration, or the name of the vendor; null for ALL.",
      resolve: (row) => (row.kind === "all" ? null : row.name),
    }),
  }),
});

/** A role and where it holds. */
export const GrantRef = builder.objectRef<Grant>("Grant").implement({
  description: "A role and where it holds. Several grants add up.",
  fields: (t) => ({
    role: t.expose("role", { type: RoleEnum, description: "What it allows." }),
    scope: t.field({ type: ScopeRef, description: "Where it allows it.", resolve: (row) => row.scope }),
  }),
});

export const GrantInput = builder.inputType("GrantInput", {
  description: "A role and where it holds.",
  fields: (t) => ({
    role: t.field({ type: RoleEnum, required: true, description: "What it allows." }),
    scope: t.field({ type: ScopeKindEnum, required: true, description: "By what it is narrowed; ALL: not at all." }),
    name: t.string({ description: "The key of the team, system or integration, or the name of the vendor; not with ALL." }),
  }),
});

/** The grants of an input. Throws QSC_ACCESS_GRANT. */
export function grantsOf(inputs: readonly (typeof GrantInput)["$inferInput"][]): readonly Grant[] {
  if (inputs.length > maxGrants)
    throw new DomainError("QSC_ACCESS_GRANT", `${inputs.length} grants are too many; give at most ${maxGrants}.`, { field: "grants" });
  return inputs.map(({ role, scope: kind, name: given }) => {
    const name = given?.trim() ?? "";
    if (kind === "all" ? name !== "" : name === "")
      throw new DomainError(
        "QSC_ACCESS_GRANT",
        kind === "all" ? `The scope ALL has no name, found "${name}".` : `The scope ${kind.toUpperCase()} needs a name: which ${kind}.`,
        { field: "grants" },
      );
    return { role, scope: kind === "all" ? { kind } : { kind, name } };
  });
}
