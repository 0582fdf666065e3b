import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import { appendEvents } from "../events/append-events.js";
import type { ConnectorRegistry, ReloadResult } from "./connector-registry.js";

/** Reads the list of packages of this server again. Throws QSC_CONNECTOR_LIST and changes nothing when it cannot be read. */
export async function reloadConnectors(
  context: Omit<CommandContext, "zones">,
  input: { readonly connectors: ConnectorRegistry; readonly reason?: string | undefined },
): Promise<ReloadResult> {
  // What is loaded is this process's own state: it changes first, and what is written down is what became of it.
  const result = await input.connectors.reload();
  await inTransaction(context, async (tx) => {
    await recordAudit(tx, {
      actor: context.actor,
      action: "connector.reload",
      subjectKind: "control",
      subjectKey: "connectors",
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      after: result,
    });
    await appendEvents(tx, [
      { kind: "control.connectors-reloaded", subjectKind: "control", subjectKey: "connectors", payload: { ...result } },
    ]);
  });
  return result;
}
