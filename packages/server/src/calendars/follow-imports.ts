import { type Actor, type CommandContext } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Log } from "../log.js";
import { syncCalendarImport, takeDueImport } from "./import-commands.js";
import { lookRegularly } from "../look-regularly.js";

const lookEveryMs = 15_000;
/** A server that took an import and died gives it free after this; a fetch lasts half a minute at most. */
const leaseMs = 300_000;
/** The actor of what an import does by itself. */
const importActor = (key: string): Actor => ({ kind: "system", name: `calendar ${key}`, role: "admin", overridesFreezes: true });

/**
 * Keeps imported calendars in step until the answered function is called. Several servers may do so at once: each takes what is due. It is no pass of
 * the scheduler, because a vendor's server that does not answer must keep nothing else waiting.
 */
export function followImports(
  context: Omit<CommandContext, "actor"> & { readonly keys: KeyRing; readonly privateHosts?: readonly string[]; readonly log: Log },
  options: { readonly everyMs?: number; readonly afterWrite?: () => void } = {},
): () => Promise<void> {
  const read = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const key = await takeDueImport({ ...context, actor: importActor("") }, leaseMs);
      if (key === null) return;
      try {
        const { problem } = await syncCalendarImport({ ...context, actor: importActor(key), signal }, { key });
        if (problem !== null) context.log.warn({ calendar: key, problem }, "A calendar could not be read; its windows stay as they were.");
      } catch (error) {
        context.log.warn({ err: error, calendar: key }, "A calendar could not be brought in step; trying again.");
      }
      options.afterWrite?.();
    }
  };
  return lookRegularly(read, {
    everyMs: options.everyMs ?? lookEveryMs,
    onFailure: (error) => context.log.warn({ err: error }, "Imported calendars could not be looked at; trying again."),
  });
}
