import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { IntegrationRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import type { HoldReason } from "./active-holds.js";
import type { GateVerdict } from "./gate.js";
import { gatesOf } from "./queries.js";

/** The gate's answer as the API shows it. */
export interface GateView {
  readonly integrationId: number;
  readonly verdict: GateVerdict;
  /** When the database was asked. */
  readonly asOf: number;
}

export const HoldKindEnum = capsEnum("HoldKind", "What made a hold.", ["window", "manual", "credentials", "unready"], {
  window: "An occurrence of a maintenance window.",
  manual: "Somebody's pause.",
  credentials: "The system refused our credentials.",
  unready: "The system did not answer its readiness check.",
});
const GateStateEnum = capsEnum("GateState", "Whether runs may start.", ["open", "held"]);

/** The reason's own columns: its index signature is for the SQL layer. */
type NamedHoldReason = { readonly [Column in keyof HoldReason as string extends Column ? never : Column]: HoldReason[Column] };

export const GateHoldRef = builder.objectRef<NamedHoldReason>("GateHold");
export const GateRef = builder.objectRef<GateView>("Gate");

const gates = batched(
  async (ids: readonly number[], { database }) =>
    [...(await gatesOf(database, ids))].map(([integrationId, gate]): GateView => ({ integrationId, ...gate })),
  (gate) => gate.integrationId,
);

/** The verdict of this moment for one integration; those of a page are asked for in one statement. */
export async function gateOf(context: RequestContext, integrationId: number): Promise<GateView> {
  const gate = await gates.one(context, integrationId);
  if (gate === null) throw new Error(`No gate for integration ${integrationId}.`);
  return gate;
}

const holdsOf = (verdict: GateVerdict): readonly HoldReason[] => (verdict.kind === "held" ? verdict.by : []);

/** The answer to "may it start now, and why not". */
export function defineGate(): void {
  builder.objectType(GateHoldRef, {
    description: "A hold as a reason: who holds, why, since and until when.",
    fields: (t) => ({
      holdId: t.field({ type: "ID", description: "The hold's key; `resume` takes it.", resolve: (row) => String(row.holdId) }),
      kind: t.expose("kind", { type: HoldKindEnum, description: "What made the hold." }),
      title: t.exposeString("title", { description: "The window's title, or the kind in words." }),
      windowKey: t.exposeString("windowKey", { nullable: true, description: "The window, when it is one." }),
      owner: t.exposeString("owner", { description: "Who answers for it." }),
      reason: t.exposeString("reason", { description: "Why." }),
      path: t.exposeString("path", { description: "By which path the integration is covered." }),
      since: t.expose("since", { type: "DateTime", description: "Since when it holds." }),
      until: t.expose("until", { type: "DateTime", nullable: true, description: "When it ends as planned; null: when somebody lifts it." }),
    }),
  });
  builder.objectType(GateRef, {
    description: "Whether runs of an integration may start at this moment, by the same predicate as the dispatcher's claim.",
    authScopes: { can: "gate.read" },
    fields: (t) => ({
      integration: t.field({ type: IntegrationRef, description: "The integration.", resolve: (row) => String(row.integrationId) }),
      state: t.field({ type: GateStateEnum, description: "OPEN or HELD.", resolve: (row) => row.verdict.kind }),
      held: t.boolean({ description: "True while runs may not start.", resolve: (row) => row.verdict.kind === "held" }),
      by: t.field({
        type: [GateHoldRef],
        description: "What holds; empty while held means that windows are not computed past now.",
        resolve: (row) => holdsOf(row.verdict),
      }),
      until: t.field({
        type: "DateTime",
        nullable: true,
        description: "When the last hold ends as planned; null while held: open-ended.",
        resolve: (row) => (row.verdict.kind === "held" ? row.verdict.until : null),
      }),
      asOf: t.expose("asOf", {
        type: "DateTime",
        description: "When the database was asked; the answer may be old the moment it is given.",
      }),
    }),
  });
}
