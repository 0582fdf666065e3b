import type { RotationState } from "@quiesce/core";
import { recordAudit } from "../audit/record-audit.js";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

/** What is told when a rotation comes into a state. Kinds of events, and the actions of the audit trail. */
const told = {
  awaiting: "credential.awaited",
  issuing: "credential.rotation-requested",
  testing: "credential.staged",
  checking: "credential.switched",
  draining: "credential.confirmed",
  revoking: "credential.drained",
  returning: "credential.returned",
  discarding: "credential.refused",
  succeeded: "credential.rotated",
  unrevoked: "credential.revocation-failed",
  failed: "credential.rotation-failed",
} as const satisfies { readonly [state in RotationState]: string };

/** Writes the audit entry and the event of a rotation's new state, in the transaction of the deed. Nothing of it is a secret. */
export async function recordRotation(
  tx: Tx,
  input: {
    readonly actor: Actor;
    readonly endpoint: string;
    readonly rotation: string;
    readonly from: RotationState | null;
    readonly to: RotationState;
    readonly trigger: string;
    readonly problem: string | null;
    readonly reason?: string | undefined;
  },
): Promise<void> {
  const { actor, endpoint, rotation, from, to, trigger, problem, reason } = input;
  const payload = { rotation, state: to, trigger, ...(problem === null ? {} : { problem }), ...(reason === undefined ? {} : { reason }) };
  await recordAudit(tx, {
    actor,
    action: told[to],
    subjectKind: "endpoint",
    subjectKey: endpoint,
    ...(reason === undefined ? {} : { reason }),
    ...(from === null ? {} : { before: { rotation, state: from } }),
    after: payload,
  });
  await appendEvents(tx, [{ kind: told[to], subjectKind: "endpoint", subjectKey: endpoint, payload }]);
}
