import type { Principal, ZoneData } from "@quiesce/core";
import type { Actor, CommandContext } from "../command.js";
import type { CatalogContext } from "../catalog/commands.js";
import type { Database } from "../db/client.js";
import type { LiveBus } from "../events/live-bus.js";
import type { Log } from "../log.js";

export type CheckStatus = "pass" | "warn" | "fail";

/** One thing that was looked at to say how the server is. */
export interface HealthCheck {
  readonly name: string;
  readonly status: CheckStatus;
  readonly detail?: string;
  readonly observed?: unknown;
  /** A failure that wants a person, who must be able to reach this server: it stays behind the balancer. */
  readonly servesAllTheSame?: true;
}

/** How an endpoint's system answered. */
export interface EndpointCheckResult {
  readonly ok: boolean;
  readonly detail: unknown;
}

/** What the API needs from the server around it. */
export interface ApiServices {
  readonly database: Database;
  readonly zones: ZoneData;
  readonly bus: LiveBus;
  readonly log: Log;
  readonly version: string;
  /** What applying a workspace needs: the keys that seal secrets, and the connectors' check of settings. */
  readonly catalogue: Pick<CatalogContext, "keys" | "checkEndpoint" | "privateHosts">;
  /** Where this server looks for zone data at its start. */
  readonly zoneDataFolders?: { readonly folder: string | undefined; readonly systemFolder: string } | undefined;
  /** Everything that `health` lists beside the API's own checks. */
  readonly healthChecks?: (() => Promise<readonly HealthCheck[]>) | undefined;
  /** Asks the system behind an endpoint, by the endpoint's key. */
  readonly checkEndpoint?: ((endpointKey: string) => Promise<EndpointCheckResult>) | undefined;
  /** Called after every command, so that its events go out at once. */
  readonly afterWrite?: (() => void) | undefined;
}

/** What every resolver knows: who asks, and through which services. */
export interface RequestContext extends ApiServices {
  readonly tokenId: number;
  readonly principal: Principal;
}

/** The command side of a request: the principal becomes the actor of the audit. */
function commandContext(context: RequestContext): CommandContext {
  const actor: Actor = { kind: "token", name: context.principal.name, role: context.principal.role };
  return { database: context.database, actor, zones: context.zones };
}

/** Runs a command and tells the sequencer that there may be events. */
export async function runCommand<T>(context: RequestContext, command: (context: CommandContext) => Promise<T>): Promise<T> {
  const result = await command(commandContext(context));
  context.afterWrite?.();
  return result;
}
