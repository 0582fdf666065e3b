import { ConnectorError } from "../../index.js";
import { exampleConnector } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { mutant, own, without, type Mutant } from "./mutant.js";

const tracker = own(exampleConnector.tracker);
const rotate = own(exampleConnector.rotate);

function tracks(members: Partial<typeof tracker>): { readonly tracker: typeof tracker } {
  return { tracker: { ...tracker, ...members } };
}

function rotates(members: Partial<typeof rotate>): { readonly rotate: typeof rotate } {
  return { rotate: { ...rotate, ...members } };
}

/** To whom no ticket seems to be there yet. */
function forgetful(x: ExampleContext): ExampleContext {
  const empty = (): Response => new Response('{"tickets":[]}', { headers: { "content-type": "application/json" } });
  return { ...x, fetch: async (url, init) => (init?.method === undefined ? empty() : x.fetch(url, init)) };
}

/** Faults of tickets and of rotation. */
export const ticketingMutants: readonly Mutant[] = [
  mutant(
    "tracker: created twice with one key, it is one ticket, found by key and by id",
    "makes a second ticket for the same trouble",
    tracks({ create: (x, ...rest) => tracker.create(forgetful(x), ...rest) }),
  ),
  mutant(
    "tracker: two keys are two tickets",
    "takes keys that begin alike for the same",
    tracks({
      create: (x, ticket, request) => tracker.create(x, { ...ticket, deduplicationKey: ticket.deduplicationKey.slice(0, 10) }, request),
      find: (x, by) => tracker.find(x, "id" in by ? by : { deduplicationKey: by.deduplicationKey.slice(0, 10) }),
    }),
  ),
  mutant(
    "tracker: what is not there is not found, without an error",
    "throws for a ticket that is not there",
    tracks({
      find: async (x, by) => {
        const found = await tracker.find(x, by);
        if (found === undefined) throw new ConnectorError("not_found", "There is no such ticket.");
        return found;
      },
    }),
  ),
  mutant(
    "tracker: a change over somebody else's is conflict",
    "writes over somebody else's change",
    tracks({
      update: (x, id, patch, { idempotencyKey }) => tracker.update(x, id, patch, { idempotencyKey }),
    }),
  ),
  mutant(
    "tracker: own changes are no news, others' are",
    "tells its own changes as news",
    tracks({
      changes: async function* (x) {
        const ids = ["1", "2"];
        const found = await Promise.all(ids.map((id) => tracker.find(x, { id })));
        yield { tickets: found.filter((ticket) => ticket !== undefined), cursor: {}, more: false };
      },
    }),
  ),
  mutant(
    "tracker: own changes are no news, others' are",
    "tells no news at all",
    tracks({
      changes: async function* () {
        yield { tickets: [], cursor: {}, more: false };
      },
    }),
  ),
  mutant(
    "tracker: what the tracker does not allow is invalid, with the field",
    "does not say which field is not allowed",
    tracks({ update: (...given) => without(tracker.update(...given), "field") }),
  ),
  mutant(
    "tracker: a change is made, and a comment with it",
    "leaves a change out",
    tracks({ update: (x, id, { title: _left, ...patch }, request) => tracker.update(x, id, patch, request) }),
  ),
  mutant(
    "rotate: issue gives secrets of its own names only",
    "issues nothing new",
    rotates({ issue: async (x) => ({ secrets: { token: x.secrets.token } }) }),
  ),
  mutant(
    "rotate: old and new secrets work side by side",
    "ends the old secrets at once",
    rotates({
      issue: async (x, request) => {
        const issued = await own(rotate.issue?.bind(rotate))(x, request);
        await x.fetch(`${x.config.url}/tokens/${x.secrets.token}`, { method: "DELETE" });
        return issued;
      },
    }),
  ),
  mutant(
    "rotate: old and new secrets work side by side",
    "issues secrets that do not work",
    rotates({ issue: async () => ({ secrets: { token: "made-up" } }) }),
  ),
  mutant(
    "rotate: issue gives secrets of its own names only",
    "issues secrets under another name",
    rotates({
      issue: async (x, request) => ({
        secrets: { ...(await own(rotate.issue?.bind(rotate))(x, request)).secrets, webhookSecret: "other" },
      }),
    }),
  ),
  mutant(
    "rotate: old secrets are refused once they are revoked, the new ones stay",
    "does not end the old secrets",
    rotates({ revoke: async () => undefined }),
  ),
  mutant(
    "rotate: old secrets are refused once they are revoked, the new ones stay",
    "throws when it ends what is gone",
    rotates({
      revoke: async (x, old) => {
        const response = await x.fetch(`${x.config.url}/tokens/${old.token}`, { method: "DELETE" });
        if (response.status === 404) throw new ConnectorError("not_found", "It is gone.");
      },
    }),
  ),
];
