import { ConnectorError, isConnectorError, type Alert, type AlertPage, type Downtime, type Webhook } from "../../index.js";
import { exampleConnector } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { mutant, own, type Mutant } from "./mutant.js";

type Own = Webhook<ExampleContext["config"], ExampleContext["secrets"], readonly Alert[]>;
const alerts = own(exampleConnector.alerts);
const pull = own(alerts.pull?.bind(alerts));
const webhook: Own = own(alerts.webhook);
const downtime = own(exampleConnector.downtime);

function pulls(change: (alert: Alert) => readonly Alert[]): { readonly alerts: typeof alerts } {
  async function* changed(x: ExampleContext): AsyncGenerator<AlertPage> {
    for await (const page of pull(x, { cursor: null })) yield { ...page, alerts: page.alerts.flatMap(change) };
  }
  return { alerts: { ...alerts, pull: changed } };
}

function receives(members: Partial<Own>): { readonly alerts: typeof alerts } {
  return { alerts: { ...alerts, webhook: { ...webhook, ...members } } };
}

function announces(members: Partial<typeof downtime>): { readonly downtime: typeof downtime } {
  return { downtime: { ...downtime, ...members } };
}

const HOUR_MS = 3_600_000;
let looks = 0;

/** Faults of alerts, webhooks and downtimes. */
export const monitoringMutants: readonly Mutant[] = [
  mutant(
    "alerts: a fingerprint stays the same from look to look",
    "has another fingerprint at every look",
    pulls((alert) => [{ ...alert, fingerprint: `${alert.fingerprint}#${(looks += 1)}` }]),
  ),
  mutant(
    "alerts: two troubles have two fingerprints",
    "has one fingerprint for everything",
    pulls((alert) => [{ ...alert, fingerprint: "alert" }]),
  ),
  mutant(
    "alerts: what has ended is told as resolved, or absent from all that fires",
    "does not tell that something has ended",
    pulls((alert) => (alert.status === "resolved" ? [] : [alert])),
  ),
  mutant(
    "alerts: what has ended is told as resolved, or absent from all that fires",
    "tells an end under another name",
    pulls((alert) => [alert.status === "resolved" ? { ...alert, fingerprint: `${alert.fingerprint}-end` } : alert]),
  ),
  mutant(
    "alerts: what the monitor keeps quiet about says why",
    "hides that the monitor keeps quiet",
    pulls(({ suppressedBy: _left, ...alert }) => [alert]),
  ),
  mutant(
    "alerts: what the monitor keeps quiet about says why",
    "leaves out what the monitor keeps quiet about",
    pulls((alert) => (alert.suppressedBy === undefined ? [alert] : [])),
  ),
  mutant(
    "alerts: what fires is told whole",
    "has severities of its own",
    pulls((alert) => [{ ...alert, severity: "disaster" as Alert["severity"] }]),
  ),
  mutant(
    "alerts: what fires is told whole",
    "has local times",
    pulls((alert) => [{ ...alert, startsAt: alert.startsAt.replace("Z", "") }]),
  ),
  mutant(
    "webhook: alerts: a body with any one byte altered is refused",
    "accepts an altered body",
    receives({
      verify: (request, secrets, now, config) => {
        const verdict = webhook.verify(request, secrets, now, config);
        const id = request.headers["webhook-id"] ?? "";
        return id === "" || request.headers["webhook-signature"]?.startsWith("v1,") !== true ? verdict : { ok: true, deliveryId: id };
      },
    }),
  ),
  mutant(
    "webhook: alerts: another secret is refused",
    "accepts anything that says who it is",
    receives({
      verify: ({ headers }) =>
        headers["webhook-id"] === undefined ? { ok: false, why: "no id" } : { ok: true, deliveryId: headers["webhook-id"] },
    }),
  ),
  mutant(
    "webhook: alerts: the time of sending is told, and cannot be altered",
    "accepts what is old, for it does not say when it was sent",
    receives({
      verify: async (...given) => {
        const verdict = await webhook.verify(...given);
        return verdict.ok ? { ok: true, deliveryId: verdict.deliveryId } : verdict;
      },
    }),
  ),
  mutant(
    "webhook: alerts: the time of sending is told, and cannot be altered",
    "takes the time of receiving for the time of sending",
    receives({
      verify: async (request, secrets, now, config) => {
        const verdict = await webhook.verify(request, secrets, now, config);
        return verdict.ok ? { ...verdict, sentAt: now } : verdict;
      },
    }),
  ),
  mutant(
    "webhook: alerts: a good delivery is accepted, and says what the system means",
    "verifies JSON that it has written anew",
    receives({
      verify: (request, ...rest) => webhook.verify({ ...request, body: rewritten(request.body) }, ...rest),
    }),
  ),
  mutant(
    "webhook: alerts: JSON that was written anew is refused",
    "is satisfied with JSON that means the same",
    receives({
      verify: async (request, ...rest) => {
        const verdict = await webhook.verify(request, ...rest);
        return verdict.ok ? verdict : webhook.verify({ ...request, body: spaced(request.body) }, ...rest);
      },
    }),
  ),
  mutant(
    "webhook: alerts: a strange request is refused, and throws nothing",
    "throws at a strange signature",
    receives({
      verify: (request, ...rest) => {
        if (!/^v1,[\w+/=]{40,}$/u.test(request.headers["webhook-signature"] ?? ""))
          throw new RangeError("Input buffers must have the same byte length");
        return webhook.verify(request, ...rest);
      },
    }),
  ),
  mutant(
    "webhook: alerts: a repetition has the id of the first, another delivery has not",
    "has no id for a delivery",
    receives({
      verify: async (...given) => {
        const verdict = await webhook.verify(...given);
        return verdict.ok ? { ok: true, sentAt: verdict.sentAt } : verdict;
      },
    }),
  ),
  mutant(
    "webhook: alerts: a body of another shape is contract",
    "takes a body of another shape for none",
    receives({
      parse: (request, config) => {
        try {
          return webhook.parse(request, config);
        } catch {
          // What the mutant is for.
          return [];
        }
      },
    }),
  ),
  mutant(
    "downtime: announced once or twice, it is there once",
    "doubles a window that is announced twice",
    announces({ announce: (x, given) => downtime.announce(forgetful(x), given) }),
  ),
  mutant(
    "downtime: announced with another end, it has that end, and is there once",
    "keeps the old end of a window that was extended",
    announces({
      announce: async (x, given) => {
        const present = (await downtime.list(x)).filter(({ windowId }) => windowId === given.windowId);
        return present.length > 0 ? { ids: present.map(({ id }) => id) } : downtime.announce(x, given);
      },
    }),
  ),
  mutant(
    "downtime: it is there at its instants, though local time is doubtful",
    "announces local times",
    announces({ announce: (x, given) => downtime.announce(x, shifted(given)) }),
  ),
  mutant(
    "downtime: withdrawn twice, and withdrawn though it never was, it is gone",
    "throws when it withdraws what is gone",
    announces({
      withdraw: async (x, windowId) => {
        const present = (await downtime.list(x)).filter((one) => one.windowId === windowId);
        if (present.length === 0) throw new ConnectorError("not_found", "It is gone.");
        return downtime.withdraw(x, windowId);
      },
    }),
  ),
  mutant(
    "downtime: two windows are two downtimes, and one goes without the other",
    "withdraws windows whose names begin alike",
    announces({
      withdraw: async (x, windowId) => {
        for (const one of await downtime.list(x)) if (one.windowId?.startsWith(windowId) === true) await downtime.withdraw(x, one.windowId);
      },
    }),
  ),
  mutant(
    "downtime: announced once or twice, it is there once",
    "covers the first resource only",
    announces({ announce: (x, given) => downtime.announce(x, { ...given, resources: given.resources.slice(0, 1) }) }),
  ),
  mutant(
    "downtime: announced once or twice, it is there once",
    "does not say which windows are ours",
    announces({
      list: async (x) => (await downtime.list(x)).map(({ windowId: _left, ...one }) => one),
    }),
  ),
  mutant(
    "downtime: a resource that the monitor has not is not_found, by name",
    "takes a resource that is not there for a success",
    announces({
      announce: async (x, given) => {
        try {
          return await downtime.announce(x, given);
        } catch (thrown) {
          if (isConnectorError(thrown) && thrown.kind === "not_found") return { ids: ["0"] };
          throw thrown;
        }
      },
    }),
  ),
];

function rewritten(body: Uint8Array): Uint8Array {
  try {
    return new TextEncoder().encode(JSON.stringify(JSON.parse(new TextDecoder().decode(body)), null, 1));
  } catch {
    // Not JSON: as it is.
    return body;
  }
}

/** With the spaces that the monitor writes. */
function spaced(body: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(body).replaceAll(/\s/gu, "");
  return new TextEncoder().encode(text.replaceAll('":', '": ').replaceAll(',"', ', "'));
}

/** To whom the monitor seems to have no downtimes yet. */
function forgetful(x: ExampleContext): ExampleContext {
  const empty = (): Response => new Response('{"downtimes":[]}', { headers: { "content-type": "application/json" } });
  return { ...x, fetch: async (url, init) => (init?.method === undefined ? empty() : x.fetch(url, init)) };
}

function shifted(given: Downtime): Downtime {
  const later = (instant: string): string => new Date(Date.parse(instant) + HOUR_MS).toISOString();
  return { ...given, start: later(given.start), end: later(given.end) };
}
