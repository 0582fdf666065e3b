import { type Connector, ConnectorError, type WebhookHandshake, type WebhookRequest } from "@quiesce/sdk";
import { limitedSignal } from "./limited-signal.js";
import type { CredentialChoice, EndpointName, LoadedEndpoint } from "./load-endpoint.js";
import { createSecretMask, type SecretMask } from "./secret-mask.js";

/** The facets whose webhooks this server takes. */
export const WEBHOOK_FACETS = ["push", "alerts"] as const;
export type WebhookFacet = (typeof WEBHOOK_FACETS)[number];

/** Looking at one request, and reading one, takes at most so long. */
const LOOK_LIMIT_MS = 5_000;

/** What an endpoint's connector says of a request. */
export type WebhookLook =
  /** Nothing here takes webhooks: no such endpoint, or a connector without. For strangers the same as `refused`. */
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "handshake"; readonly answer: WebhookHandshake }
  | { readonly kind: "refused"; readonly why: string }
  | {
      readonly kind: "verified";
      readonly endpointId: number;
      readonly facet: WebhookFacet;
      readonly deliveryId: string | undefined;
      readonly sentAt: number | null;
      /** The request as it may be kept: without credentials. */
      readonly request: WebhookRequest;
    };

/** What the connectors of endpoints do with requests that systems send. */
export interface WebhookCalls {
  /** `facet`: which webhook, where the connector has several. `credentials`: secrets to try, those in force first. */
  look(
    endpointKey: string,
    asked: {
      readonly facet: string | undefined;
      readonly request: WebhookRequest;
      readonly credentials: readonly CredentialChoice[];
      readonly now: number;
    },
  ): Promise<WebhookLook>;
  /** What a kept request says; throws ConnectorErrors. */
  parse(endpointId: number, facet: WebhookFacet, request: WebhookRequest): Promise<unknown>;
}

/** Headers that carry who asks: needed to verify, kept nowhere. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

type AnyWebhook = NonNullable<Connector["push"]>["webhook"] | NonNullable<NonNullable<Connector["alerts"]>["webhook"]>;

/** Binds the webhooks of every connector. */
export function webhookCalls(host: {
  readonly load: (wanted: {
    readonly endpoint: EndpointName;
    readonly mask: SecretMask;
    readonly credential?: CredentialChoice;
  }) => Promise<LoadedEndpoint>;
}): WebhookCalls {
  return {
    async look(endpointKey, { facet: wanted, request, credentials, now }) {
      const mask = createSecretMask();
      let refusal = "no secret of the endpoint fits";
      for (const credential of credentials) {
        const loaded = await host.load({ endpoint: { key: endpointKey }, mask, credential });
        const found = webhookOf(loaded.connector, wanted);
        if (typeof found === "string") return { kind: "none", why: found };
        const { facet, webhook } = found;
        const answer = await inTime(async () => webhook.handshake?.(request, loaded.secrets), "The connector did not answer the handshake");
        if (answer !== undefined) return { kind: "handshake", answer: { ...answer, body: mask.text(answer.body) } };
        const verdict = await inTime(
          async () => webhook.verify(request, loaded.secrets, new Date(now), loaded.config),
          "The connector did not verify the delivery",
        );
        if (verdict.ok) {
          const { deliveryId, sentAt } = verdict;
          const query = Object.fromEntries(Object.entries(request.query).map(([name, value]) => [name, mask.text(value)]));
          const kept = { ...request, query, headers: withoutCredentials(request.headers, mask) };
          return {
            kind: "verified",
            endpointId: loaded.id,
            facet,
            deliveryId,
            sentAt: sentAt === undefined ? null : sentAt.getTime(),
            request: kept,
          };
        }
        refusal = mask.text(verdict.why).slice(0, 300);
      }
      return { kind: "refused", why: refusal };
    },
    async parse(endpointId, facet, request) {
      const loaded = await host.load({ endpoint: { id: endpointId }, mask: createSecretMask() });
      const found = webhookOf(loaded.connector, facet);
      if (typeof found === "string") throw new ConnectorError("config", `Endpoint "${loaded.key}": ${found}.`);
      return inTime(async () => found.webhook.parse(request, loaded.config), "The connector did not read the delivery");
    },
  };
}

function webhookOf(
  connector: Connector,
  wanted: string | undefined,
): { readonly facet: WebhookFacet; readonly webhook: AnyWebhook } | string {
  const { push, alerts } = connector;
  const there = [
    ...(push === undefined ? [] : [{ facet: "push", webhook: push.webhook } as const]),
    ...(alerts?.webhook === undefined ? [] : [{ facet: "alerts", webhook: alerts.webhook } as const]),
  ];
  const [first, second] = there;
  if (first === undefined) return `the connector "${connector.id}" takes no webhooks`;
  if (wanted === undefined && second !== undefined)
    return `the connector "${connector.id}" has several webhooks: name one behind the endpoint, as in /hooks/<endpoint>/${first.facet}`;
  if (wanted === undefined) return first;
  return there.find(({ facet }) => facet === wanted) ?? `the connector "${connector.id}" has no webhook for "${wanted.slice(0, 40)}"`;
}

function withoutCredentials(headers: WebhookRequest["headers"], mask: SecretMask): WebhookRequest["headers"] {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !CREDENTIAL_HEADERS.has(name))
      .map(([name, value]) => [name, mask.text(value)]),
  );
}

async function inTime<T>(work: () => Promise<T>, what: string): Promise<T> {
  const limit = limitedSignal(new AbortController().signal, { limitMs: LOOK_LIMIT_MS, what });
  try {
    return await limit.race(work());
  } finally {
    limit.end();
  }
}
