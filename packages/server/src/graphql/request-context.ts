import { describeGrants, type Principal, type ZoneData } from "@quiesce/core";
import type { Authenticated, CredentialKey } from "../access/authenticate.js";
import { checkChange, mayAlso } from "../access/check-change.js";
import type { Change } from "../access/targets.js";
import { isNarrowed, type VisibleDatabases } from "../access/visible-database.js";
import type { Actor, CommandContext } from "../command.js";
import type { CatalogContext } from "../catalog/commands.js";
import type { Database } from "../db/client.js";
import type { AccessUse } from "../access/access-use.js";
import type { AccessWatch } from "../access/access-watch.js";
import type { LiveBus } from "../events/live-bus.js";
import type { ApiLimits } from "../http/api-limits.js";
import type { ConnectorRegistry } from "../connector-host/connector-registry.js";
import type { RotationCalls } from "../connector-host/rotation-calls.js";
import type { WebhookCalls } from "../connector-host/webhook-calls.js";
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
  /** The database as callers with narrower grants see it; without it they are refused. */
  readonly visible?: VisibleDatabases | undefined;
  readonly zones: ZoneData;
  readonly bus: LiveBus;
  readonly log: Log;
  readonly version: string;
  /** What one operation may cost; the defaults when left out. */
  readonly limits?: ApiLimits | undefined;
  /** Notes how callers use their credentials. */
  readonly watch?: AccessWatch | undefined;
  /** Notes which rights they use. */
  readonly use?: AccessUse | undefined;
  /** What applying a workspace needs: the keys that seal secrets, and the connectors' check of settings. */
  readonly catalogue: Pick<CatalogContext, "keys" | "checkEndpoint" | "configVersionOf" | "notices" | "privateHosts">;
  /** Where this server looks for zone data at its start. */
  readonly zoneDataFolders?: { readonly folder: string | undefined; readonly systemFolder: string } | undefined;
  /** Everything that `health` lists beside the API's own checks. */
  readonly healthChecks?: (() => Promise<readonly HealthCheck[]>) | undefined;
  /** Asks the system behind an endpoint, by the endpoint's key. */
  readonly checkEndpoint?: ((endpointKey: string) => Promise<EndpointCheckResult>) | undefined;
  /** Which connectors this server has. */
  readonly connectors?: ConnectorRegistry | undefined;
  /** What connectors can do about the secrets of endpoints. */
  readonly rotation?: RotationCalls | undefined;
  /** Requests that systems send by themselves; none are taken when left out. */
  readonly webhooks?: WebhookCalls | undefined;
  /** Where browsers reach this server; undefined: it was not told. */
  readonly publicUrl?: string | undefined;
  /** Days of samples as this server is configured; the usual ones when left out. */
  readonly sampleRetentionDays?: number | undefined;
  /** Called after every command, so that its events go out at once. */
  readonly afterWrite?: (() => void) | undefined;
}

/** Who asks. */
export type Asker = Pick<Authenticated, "credential" | "principalId" | "principal">;

/** What every resolver knows: who asks, and through which services. */
export interface RequestContext extends ApiServices {
  /** The database as the caller may see it, for reads. What a caller with narrower grants does not reach is not there. */
  readonly database: Database;
  /** All of it, for commands and for what a caller reads about itself. */
  readonly whole: Database;
  readonly credential: CredentialKey;
  readonly principalId: number;
  readonly principal: Principal;
}

/** What a resolver knows when this caller asks. */
export function requestContext(
  services: ApiServices,
  caller: Pick<Authenticated, "credential" | "principalId" | "principal">,
): RequestContext {
  const { credential, principalId, principal } = caller;
  const { database: whole, visible } = services;
  if (visible === undefined && isNarrowed(principal)) throw new Error("This server has no narrowed databases.");
  return { ...services, credential, principalId, principal, whole, database: visible?.of(principal) ?? whole };
}

/** Runs a command about the caller itself, which needs no right: the command looks at whose the thing is. */
export async function runOwnCommand<T>(context: RequestContext, command: (context: CommandContext) => Promise<T>): Promise<T> {
  const result = await command({ database: context.whole, actor: actorOf(context), zones: context.zones });
  context.afterWrite?.();
  return result;
}

function actorOf({ credential, principal }: Asker): Actor {
  return { kind: credential.startsWith("session:") ? "person" : "token", name: principal.name, role: describeGrants(principal.grants) };
}

/**
 * Runs a command that needs a right on something, and tells the sequencer that there may be events. The principal becomes the actor of the audit.
 * Throws QSC_ACCESS_DENIED; what the caller cannot see is refused by the command's own word for what does not exist.
 */
export async function runCommand<T>(context: RequestContext, change: Change, command: (context: CommandContext) => Promise<T>): Promise<T> {
  const { principal, whole, zones } = context;
  const changer = { principal, seen: context.database, whole };
  const actor = actorOf(context);
  await checkChange(changer, change, (database) => command({ database, actor, zones }));
  context.use?.used(context, change.action);
  const mayOverride = await mayAlso(changer, "windows.override-freeze", change);
  const result = await command({ database: whole, actor: overriding(context, { actor, mayOverride }), zones });
  context.afterWrite?.();
  return result;
}

/** Only a plan that meets a freeze asks: then the right is used. */
function overriding(context: RequestContext, { actor, mayOverride }: { readonly actor: Actor; readonly mayOverride: boolean }): Actor {
  return {
    ...actor,
    get overridesFreezes() {
      if (mayOverride) context.use?.used(context, "windows.override-freeze");
      return mayOverride;
    },
  };
}
