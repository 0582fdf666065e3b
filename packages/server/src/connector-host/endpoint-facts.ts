import { type AuthMethod, type Connector, ConnectorError, type WriteIdempotency, writeIdempotency } from "@quiesce/sdk";

/** What an endpoint's settings mean to its connector: the answers of its functions that take no context. Plain values. */
export interface EndpointFacts {
  /** Where it may reach. */
  readonly origins: readonly string[];
  /** How its requests show who asks; undefined: the connector does that itself, or nobody does. */
  readonly auth: AuthMethod | undefined;
  readonly canIssue: boolean;
  readonly canRevoke: boolean;
  /** What the connector promises about repeated writes, of the streams that were asked for. */
  readonly idempotency: { readonly [stream: string]: WriteIdempotency };
}

/** Which settings, and which streams are written to. */
export interface FactsWanted {
  readonly config: unknown;
  readonly secrets: unknown;
  readonly streams: readonly string[];
}

/** Asks a connector in its own thread. Throws `config` when its functions cannot tell. */
export function endpointFacts(connector: Connector, { config, secrets, streams }: FactsWanted): EndpointFacts {
  const { rotate, write } = connector;
  const told = <T>(what: string, ask: () => T): T => {
    try {
      return ask();
    } catch (cause) {
      throw new ConnectorError("config", `The connector "${connector.id}" cannot tell from the endpoint's settings ${what}.`, { cause });
    }
  };
  return {
    origins: told("which origins it reaches", () => [...connector.egress(config)]),
    auth: told("how requests show who asks", () => connector.auth?.(config, secrets)),
    canIssue: rotate?.issue !== undefined && told("whether it can issue secrets", () => rotate.canIssue?.(config) ?? true),
    canRevoke: rotate?.revoke !== undefined && told("whether it can revoke secrets", () => rotate.canRevoke?.(config) ?? true),
    idempotency:
      write === undefined
        ? {}
        : Object.fromEntries(
            streams.map((stream) => [stream, told("whether writes may be repeated", () => writeIdempotency(write, config, stream))]),
          ),
  };
}
