import { type Connector, ConnectorError, type Context, type IssuedSecrets, type IssueRequest } from "@quiesce/sdk";
import { clock } from "../clock.js";
import { SECRET_MAX_BYTES } from "../credentials/sealed-secret.js";
import type { SecretValues } from "../credentials/credential-secrets.js";
import { limitedSignal } from "./limited-signal.js";
import type { CredentialChoice, EndpointName, LoadedEndpoint } from "./load-endpoint.js";
import { createSecretMask, type SecretMask } from "./secret-mask.js";
import { type CallGuard, settleCall } from "./settle-call.js";

/** One step into a system takes at most so long; it must be well below the lease of a step (credentials/rotation-store.ts). */
const STEP_LIMIT_MS = 30_000;

/** What an endpoint's connector can do about its secrets, with its configuration. */
export interface RotationAbilities {
  /** The secrets that change together; without the facet, all that the connector knows. */
  readonly names: readonly string[];
  readonly issues: boolean;
  readonly revokes: boolean;
  /** Without a check nothing can be tested, and so nothing switched. */
  readonly checks: boolean;
}

/** The steps of a rotation in the system. All throw ConnectorErrors without secrets; each ends within half a minute. */
export interface RotationCalls {
  abilities(endpoint: EndpointName): Promise<RotationAbilities>;
  /** Asks the system for new secrets, with those in force. */
  issue(endpoint: EndpointName, request: IssueRequest, signal: AbortSignal): Promise<IssuedSecrets>;
  /** Whether the system takes a credential. Resolves when it does. */
  test(endpoint: EndpointName, credential: CredentialChoice, signal: AbortSignal): Promise<void>;
  /** Ends a credential at the system; null: the workspace's. */
  revoke(
    endpoint: EndpointName,
    which: { readonly ends: number | null; readonly stays: CredentialChoice },
    signal: AbortSignal,
  ): Promise<void>;
  /** Throws a `config` error when values do not fit the connector. */
  requireFit(endpoint: EndpointName, values: SecretValues): Promise<void>;
}

interface Opened extends LoadedEndpoint {
  readonly context: Context;
  readonly guard: CallGuard;
}
type Call = { readonly signal: AbortSignal; readonly mask: SecretMask; readonly deadlineMonotonicMs: number };

/** Binds the facet `rotate` of every connector to the host's contexts. */
export function rotationCalls(host: {
  readonly contextOf: (endpoint: EndpointName, call: Call & { readonly credential: CredentialChoice }) => Promise<Opened>;
  readonly load: (wanted: {
    readonly endpoint: EndpointName;
    readonly mask: SecretMask;
    readonly credential?: CredentialChoice;
    readonly trial?: SecretValues;
  }) => Promise<LoadedEndpoint>;
}): RotationCalls {
  const within = async <T>(signal: AbortSignal, work: (call: Call) => Promise<T>): Promise<T> => {
    const limit = limitedSignal(signal, { limitMs: STEP_LIMIT_MS, what: "The system did not answer" });
    const call = { signal: limit.signal, mask: createSecretMask(), deadlineMonotonicMs: clock.monotonicMs() + STEP_LIMIT_MS };
    try {
      return await limit.race(work(call));
    } finally {
      limit.end();
    }
  };
  return {
    abilities: async (endpoint) => abilitiesOf(await host.load({ endpoint, mask: createSecretMask() })),
    issue: (endpoint, request, signal) =>
      within(signal, async (call) => {
        const opened = await host.contextOf(endpoint, { ...call, credential: "in-force" });
        const { connector, context, guard } = opened;
        const issued = await settleCall(guard, async () => {
          if (connector.rotate?.issue === undefined) throw lacks(opened, "issue new secrets");
          return connector.rotate.issue(context, request);
        });
        return checked(opened, issued);
      }),
    test: (endpoint, credential, signal) =>
      within(signal, async (call) => {
        const opened = await host.contextOf(endpoint, { ...call, credential });
        const { connector, context, guard } = opened;
        const health = await settleCall(guard, async () => {
          if (connector.check === undefined) throw lacks(opened, "check its system");
          return connector.check(context);
        });
        if (health.status === "up" || health.status === "degraded") return;
        const why = health.message === undefined ? "" : `: ${guard.mask.text(health.message)}`;
        throw new ConnectorError("unavailable", `The system says that it is ${health.status}${why}.`);
      }),
    revoke: (endpoint, { ends, stays }, signal) =>
      within(signal, async (call) => {
        const old = await host.load({ endpoint, mask: call.mask, credential: { id: ends } });
        const opened = await host.contextOf(endpoint, { ...call, credential: stays });
        const { connector, context, guard } = opened;
        await settleCall(guard, async () => connector.rotate?.revoke?.(context, old.secrets)).catch((error: unknown) => {
          if (!(error instanceof ConnectorError) || error.kind !== "not_found") throw error;
        });
      }),
    requireFit: async (endpoint, trial) => {
      await host.load({ endpoint, mask: createSecretMask(), trial });
    },
  };
}

function abilitiesOf({ connector, facts }: Pick<LoadedEndpoint, "connector" | "facts">): RotationAbilities {
  return {
    names: connector.rotate?.secrets ?? knownNames(connector),
    issues: facts.canIssue,
    revokes: facts.canRevoke,
    checks: connector.check !== undefined,
  };
}

function knownNames(connector: Connector): readonly string[] {
  const { properties } = connector.toManifest().secrets;
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

function lacks({ key, connector }: LoadedEndpoint, what: string): ConnectorError {
  return new ConnectorError("config", `Endpoint "${key}": the connector "${connector.id}" cannot ${what}.`);
}

/** What a connector answers is taken for nothing before it was looked at. */
function checked({ key, connector, guard }: Opened, issued: IssuedSecrets): IssuedSecrets {
  const names = connector.rotate?.secrets ?? [];
  const values: unknown = issued?.secrets;
  const refuse = (why: string): never => {
    throw new ConnectorError("contract", `Endpoint "${key}": the new secrets of the connector "${connector.id}" cannot be used: ${why}.`);
  };
  if (typeof values !== "object" || values === null || Object.keys(values).length === 0) return refuse("there are none");
  for (const [name, value] of Object.entries(values)) {
    if (!names.includes(name)) refuse("they have a name that is not among rotate.secrets");
    if (typeof value !== "string" || value === "" || Buffer.byteLength(value) > SECRET_MAX_BYTES)
      refuse(`${name} is no text, empty or too long`);
  }
  guard.mask.add(Object.values(issued.secrets));
  const { expiresAt } = issued;
  if (expiresAt !== undefined && (typeof expiresAt !== "string" || Number.isNaN(Date.parse(expiresAt)))) refuse("expiresAt is no instant");
  return issued;
}
