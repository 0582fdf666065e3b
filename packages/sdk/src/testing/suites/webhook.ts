import { isConnectorError, type JsonObject, type Webhook, type WebhookRequest, type WebhookVerdict } from "../../index.js";
import { ConformanceFailure, must, neededSecrets, show, withBench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { Subject, WebhookOptions } from "../conformance-options.js";
import { TEST_NOW } from "../test-context.js";

const FACETS = ["push", "alerts", "tracker", "calendar"] as const;
const STALE_MS = 3_600_000;
type AnyWebhook = Webhook<unknown, unknown, unknown>;

interface Receiving {
  readonly webhook: AnyWebhook;
  readonly options: WebhookOptions;
  readonly config: unknown;
  /** A delivery as the system sends it; with the valid secrets, now, if nothing else is said. */
  readonly delivery: (more?: { readonly secrets?: JsonObject; readonly at?: Date; readonly deliveryId?: string }) => WebhookRequest;
  readonly verify: (request: WebhookRequest, secrets?: JsonObject) => Promise<WebhookVerdict>;
}

/** Nobody but the system is listened to, and nobody's bytes bring it down. */
export function webhookCases<T>(subject: Subject<T>): SuiteCases {
  const present = FACETS.filter((facet) => subject.connector[facet]?.webhook !== undefined);
  if (present.length === 0) return { skipped: "the connector has no webhook" };
  return present.flatMap((facet) => casesOf(subject, facet));
}

function casesOf<T>(subject: Subject<T>, facet: (typeof FACETS)[number]): readonly ConformanceCase[] {
  const options = subject.options.webhooks?.[facet];
  const webhook = subject.connector[facet]?.webhook as AnyWebhook;
  if (options === undefined) {
    const run = async (): Promise<never> =>
      Promise.reject(new ConformanceFailure(`options.webhooks.${facet} is missing: it says what the system sends, and how it signs it.`));
    return [{ suite: "webhook", name: `webhook: ${facet}: options are given`, run }];
  }
  const one = (name: string, work: (receiving: Receiving) => Promise<void>): ConformanceCase => ({
    suite: "webhook",
    name: `webhook: ${facet}: ${name}`,
    run: () => withBench(subject, async ({ context }) => work(receivingOf(subject, webhook, options, (await context()).config))),
  });
  const signed = options.unsigned !== true;
  return [
    one("a good delivery is accepted, and says what the system means", accepts),
    one("another secret is refused", (receiving) => refusesSecret(receiving, subject)),
    one("two secrets are good at once while they are changed", (receiving) => takesBoth(receiving, subject)),
    one("a delivery without its credentials is refused", refusesBare),
    one("a strange request is refused, and throws nothing", bearsStrangers),
    one("a body of another shape is contract", refusesShape),
    ...(signed
      ? [one("a body with any one byte altered is refused", refusesAltered), one("JSON that was written anew is refused", refusesRewritten)]
      : []),
    ...(signed && options.untimed !== true ? [one("the time of sending is told, and cannot be altered", tellsTime)] : []),
    ...(options.unnumbered === true ? [] : [one("a repetition has the id of the first, another delivery has not", tellsRepetition)]),
  ];
}

function receivingOf<T>(subject: Subject<T>, webhook: AnyWebhook, options: WebhookOptions, config: unknown): Receiving {
  const { valid } = subject.options.secrets;
  return {
    webhook,
    options,
    config,
    delivery: ({ secrets = valid, at = TEST_NOW, deliveryId = "delivery-1" } = {}) =>
      options.request({ body: options.body, secrets, at, deliveryId }),
    verify: async (request, secrets = valid) => webhook.verify(request, secrets, TEST_NOW, config),
  };
}

async function accepts({ webhook, config, delivery, verify }: Receiving): Promise<void> {
  const request = delivery();
  const verdict = await verify(request);
  must(verdict.ok, `A good delivery was refused: ${verdict.ok ? "" : verdict.why}.`);
  const first = show(webhook.parse(request, config));
  must(first !== "[]" && first !== "undefined", `parse made ${first} of a good delivery.`);
  must(
    show(webhook.parse(request, config)) === first,
    "parse made something else of the same delivery the second time; after a crash it is called again.",
  );
}

async function refuses(receiving: Receiving, request: WebhookRequest, what: string): Promise<void> {
  const verdict = await receiving.verify(request);
  must(!verdict.ok, `${what} was accepted.`);
  must(verdict.why !== "", `${what} was refused without a reason.`);
}

async function refusesSecret<T>(receiving: Receiving, subject: Subject<T>): Promise<void> {
  const rotated = neededSecrets(subject, "rotated", "a webhook is tested with two secrets");
  await refuses(receiving, receiving.delivery({ secrets: rotated }), "A delivery that was signed with another secret");
}

/** The host asks verify once with the old and once with the new secrets. */
async function takesBoth<T>({ delivery, verify }: Receiving, subject: Subject<T>): Promise<void> {
  const rotated = neededSecrets(subject, "rotated", "a webhook is tested with two secrets");
  for (const [name, secrets] of [
    ["old", subject.options.secrets.valid],
    ["new", rotated],
  ] as const) {
    const request = delivery({ secrets });
    const verdicts = [await verify(request, subject.options.secrets.valid), await verify(request, rotated)];
    must(
      verdicts.filter(({ ok }) => ok).length === 1,
      `A delivery with the ${name} secret was accepted by ${verdicts.filter(({ ok }) => ok).length} of the two secrets, expected one.`,
    );
  }
}

async function refusesBare(receiving: Receiving): Promise<void> {
  const request = receiving.delivery();
  const needed: string[] = [];
  for (const name of Object.keys(request.headers)) {
    const { [name]: _left, ...headers } = request.headers;
    if (!(await receiving.verify({ ...request, headers })).ok) needed.push(name);
  }
  const bare = { ...request, headers: {}, query: {} };
  await refuses(receiving, bare, "A delivery without any header");
  must(needed.length > 0 || Object.keys(request.query).length > 0, "A delivery is accepted whichever header is left out.");
}

async function bearsStrangers(receiving: Receiving): Promise<void> {
  const { headers, ...rest } = receiving.delivery();
  const odd = ["", "x", "\u0000", "v1,", "sha256=", "9".repeat(400), "%%%", "Bearer", "é"];
  for (const value of odd) {
    const request = { ...rest, headers: Object.fromEntries(Object.keys(headers).map((name) => [name, value])) };
    const verdict = await receiving.verify(request).catch((thrown: unknown) => {
      throw new ConformanceFailure(
        `verify threw ${String(thrown)} for headers of ${show(value)}; what a stranger sends is refused, not thrown.`,
      );
    });
    must(!verdict.ok, `A delivery with headers of ${show(value)} was accepted.`);
  }
}

async function refusesShape({ webhook, config, delivery }: Receiving): Promise<void> {
  for (const text of ["", "{", "null", "7", '{"unexpected":[1]}']) {
    try {
      webhook.parse({ ...delivery(), body: new TextEncoder().encode(text) }, config);
    } catch (thrown) {
      must(isConnectorError(thrown) && thrown.kind === "contract", `parse of ${show(text)} threw ${String(thrown)}, expected contract.`);
      continue;
    }
    throw new ConformanceFailure(`parse took the body ${show(text)}, expected contract.`);
  }
}

async function refusesAltered(receiving: Receiving): Promise<void> {
  const request = receiving.delivery();
  const { length } = request.body;
  for (const at of new Set([0, 1, Math.floor(length / 2), length - 2, length - 1])) {
    const body = Uint8Array.from(request.body, (byte, index) => (index === at ? byte ^ 1 : byte));
    await refuses(receiving, { ...request, body }, `A delivery with byte ${at} altered`);
  }
}

async function refusesRewritten(receiving: Receiving): Promise<void> {
  const request = receiving.delivery();
  const text = new TextDecoder().decode(request.body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A body of another kind has no other way to be written.
    return;
  }
  const written = [JSON.stringify(parsed), JSON.stringify(parsed, null, 1)].find((one) => one !== text);
  if (written !== undefined)
    await refuses(receiving, { ...request, body: new TextEncoder().encode(written) }, "JSON that was parsed and written anew");
}

async function tellsTime(receiving: Receiving): Promise<void> {
  const at = new Date(TEST_NOW.getTime() - STALE_MS);
  const old = receiving.delivery({ at });
  const verdict = await receiving.verify(old);
  const sentAt = verdict.ok ? verdict.sentAt?.getTime() : undefined;
  // The host refuses what is old; a connector that refuses it by itself is as good.
  if (verdict.ok)
    must(
      sentAt !== undefined && Math.abs(sentAt - at.getTime()) <= 1000,
      `verify says that a delivery of ${at.toISOString()} was sent at ${show(verdict.sentAt)}; without that the host takes an old one for new.`,
    );
  const fresh = receiving.delivery();
  for (const [name, value] of Object.entries(fresh.headers)) {
    if (old.headers[name] === value || !/^[\d.TZ:+-]+$/u.test(value)) continue;
    await refuses(receiving, { ...old, headers: { ...old.headers, [name]: value } }, `An old delivery with a new ${name}`);
  }
}

async function tellsRepetition({ delivery, verify }: Receiving): Promise<void> {
  const idOf = async (deliveryId: string): Promise<string | undefined> => {
    const verdict = await verify(delivery({ deliveryId }));
    return verdict.ok ? verdict.deliveryId : undefined;
  };
  const [first, again, other] = [await idOf("delivery-1"), await idOf("delivery-1"), await idOf("delivery-2")];
  must(first !== undefined && first === again, `Two sendings of one delivery have the ids ${show([first, again])}.`);
  must(first !== other, `Two deliveries have one id, ${show(first)}.`);
}
