/** The events of endpoints that owner teams are told unless a webhook names its own: what wants a person before runs fail. */
export const usualEndpointMessages: readonly string[] = [
  "endpoint.certificate-expiring",
  "credential.awaited",
  "credential.rotation-failed",
  "credential.revocation-failed",
];

/** What a message tells of its endpoint. Instants are epoch milliseconds. */
export interface EndpointMessageFacts {
  readonly kind: string;
  readonly at: number;
  readonly endpoint: { readonly key: string; readonly name: string; readonly system: string; readonly connector: string };
  /** Integrations that work with it; not all, when there are many. */
  readonly integrations: readonly string[];
  readonly integrationCount: number;
  /** The event's own payload. */
  readonly event: { readonly [name: string]: unknown };
}

/** The body of a message in the shape of Standard Webhooks: `type`, `timestamp` and `data`. */
export function endpointMessage(facts: EndpointMessageFacts): { readonly [name: string]: unknown } {
  const { kind, at, endpoint, integrations, integrationCount, event } = facts;
  return { type: kind, timestamp: new Date(at).toISOString(), data: { endpoint, integrations, integrationCount, event } };
}
