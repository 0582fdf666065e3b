import { ConnectorError, type CatalogPage, type Change, type ChangePage, type Cursor } from "../../index.js";
import { exampleConnector } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { asKind, mutant, own, without, type Mutant } from "./mutant.js";

const calendar = own(exampleConnector.calendar);
const catalog = own(exampleConnector.catalog?.bind(exampleConnector));
const quota = own(exampleConnector.quota?.bind(exampleConnector));
const notify = own(exampleConnector.notify?.bind(exampleConnector));

type ChangesRequest = Parameters<typeof calendar.changes>[1];
type Message = Parameters<typeof notify>[1];

function plans(members: Partial<typeof calendar>): { readonly calendar: typeof calendar } {
  return { calendar: { ...calendar, ...members } };
}

/** The changes of each page made into others. */
function tells(change: (one: Change) => readonly Change[]): { readonly calendar: typeof calendar } {
  return plans({
    async *changes(x: ExampleContext, request: ChangesRequest): AsyncGenerator<ChangePage> {
      for await (const page of calendar.changes(x, request)) yield { ...page, changes: page.changes.flatMap(change) };
    },
  });
}

function lists(pages: (x: ExampleContext, request: { readonly cursor: Cursor | null }) => AsyncIterable<CatalogPage>): {
  readonly catalog: typeof catalog;
} {
  return { catalog: pages };
}

function listsItems(change: (page: CatalogPage) => CatalogPage): { readonly catalog: typeof catalog } {
  return lists(async function* (x, request) {
    for await (const page of catalog(x, request)) yield change(page);
  });
}

let looks = 0;
let messages = 0;

/** A key of its own for every call. */
async function tellAnew(x: ExampleContext, message: Message): Promise<{ readonly id: string }> {
  messages += 1;
  return notify(x, message, { idempotencyKey: `anew-${messages}` });
}

/** Faults of planned changes, catalogues, allowances and messages. */
export const planningMutants: readonly Mutant[] = [
  mutant(
    "calendar: a planned change is told whole",
    "has states of its own",
    tells((one) => [{ ...one, state: "planned" as Change["state"] }]),
  ),
  mutant(
    "calendar: its times are the instants that were planned",
    "tells local times without their zone",
    tells((one) => [{ ...one, start: one.start.replace("Z", ""), end: one.end.replace("Z", "") }]),
  ),
  mutant(
    "calendar: its times are the instants that were planned",
    "tells UTC digits beside another zone",
    tells((one) => [{ ...one, start: one.start.replace("Z", ""), end: one.end.replace("Z", ""), timeZone: "Europe/Madrid" }]),
  ),
  mutant(
    "calendar: what touches the range is told, and nothing else",
    "tells only changes that begin in the range",
    plans({
      async *changes(x: ExampleContext, request: ChangesRequest): AsyncGenerator<ChangePage> {
        for await (const page of calendar.changes(x, request))
          yield { ...page, changes: page.changes.filter(({ start }) => start >= request.from) };
      },
    }),
  ),
  mutant(
    "calendar: what touches the range is told, and nothing else",
    "tells all changes, whatever the range",
    plans({
      changes: (x, request) => calendar.changes(x, { ...request, from: "2000-01-01T00:00:00.000Z", to: "2100-01-01T00:00:00.000Z" }),
    }),
  ),
  mutant(
    "calendar: many changes come each once",
    "stops after its first page",
    plans({
      async *changes(x: ExampleContext, request: ChangesRequest): AsyncGenerator<ChangePage> {
        for await (const page of calendar.changes(x, request)) {
          yield { ...page, more: false };
          return;
        }
      },
    }),
  ),
  mutant(
    "calendar: killed after each page, nothing is lost",
    "has the cursor of the end on each page",
    plans({
      async *changes(x: ExampleContext, request: ChangesRequest): AsyncGenerator<ChangePage> {
        const pages: ChangePage[] = [];
        for await (const page of calendar.changes(x, request)) pages.push(page);
        for (const page of pages) yield { ...page, cursor: pages.at(-1)?.cursor ?? null };
      },
    }),
  ),
  mutant(
    "calendar: what is planned after a look is told by the next",
    "goes on behind its own clock instead of the last change",
    plans({
      async *changes(x: ExampleContext, request: ChangesRequest): AsyncGenerator<ChangePage> {
        for await (const page of calendar.changes(x, request)) yield { ...page, cursor: { after: x.clock.now().toISOString() } };
      },
    }),
  ),
  mutant(
    "calendar: a change that moves keeps its id, and is told again",
    "gives a change another id when it moves",
    // Ten hours after the beginning it lies where it was first.
    tells((one) => [{ ...one, id: one.start.includes("T18:") ? one.id : `${one.id}@${one.start}` }]),
  ),
  mutant(
    "calendar: a cursor of the future does not silence it for ever",
    "believes a cursor of the future",
    plans({
      async *changes(x: ExampleContext, request: ChangesRequest): AsyncGenerator<ChangePage> {
        const isFuture = String(request.cursor?.["after"]).startsWith("2999");
        if (isFuture) yield { changes: [], cursor: request.cursor, more: false };
        else yield* calendar.changes(x, request);
      },
    }),
  ),
  mutant(
    "calendar: what is called off is told as cancelled",
    "leaves out what is called off",
    tells((one) => (one.state === "cancelled" ? [] : [one])),
  ),
  mutant(
    "calendar: approved, it waits no more; refused, it does not take place",
    "approves whatever was decided",
    plans({ approve: async (x, id, decision) => calendar.approve?.(x, id, { ...decision, approve: true }) }),
  ),
  mutant(
    "catalog: everything is listed once, and whole",
    "lists a thing twice",
    listsItems((page) => ({ ...page, items: [...page.items, ...page.items.slice(0, 1)] })),
  ),
  mutant(
    "catalog: everything is listed once, and whole",
    "lists its first page only",
    lists(async function* (x, request) {
      for await (const page of catalog(x, request)) {
        yield { ...page, more: false };
        return;
      }
    }),
  ),
  mutant(
    "catalog: what each needs is told by the ids of the listing",
    "names what is needed as people call it",
    listsItems((page) => ({
      ...page,
      items: page.items.map((item) => ({ ...item, dependsOn: (item.dependsOn ?? []).map((id) => `The ${id}`) })),
    })),
  ),
  mutant(
    "catalog: ids stay the same from listing to listing",
    "has other ids in every listing",
    lists(async function* (x, request) {
      looks += 1;
      const look = looks;
      for await (const page of catalog(x, request))
        yield { ...page, items: page.items.map((item) => ({ ...item, id: `${item.id}#${look}` })) };
    }),
  ),
  mutant(
    "catalog: a listing is of one type, and its cursor can be kept",
    "calls everything a list of changes",
    listsItems((page) => ({ ...page, type: "delta" })),
  ),
  mutant(
    "catalog: a cursor of the future does not silence it for ever",
    "believes a cursor of the future, and lists no change",
    lists(async function* (x, request) {
      if (String(request.cursor?.["since"]).startsWith("2999")) yield { type: "delta", items: [], cursor: request.cursor, more: false };
      else yield* catalog(x, request);
    }),
  ),
  mutant(
    "catalog: what is gone is absent from a full listing, or told as removed",
    "does not tell what is gone",
    listsItems(({ removed: _left, ...page }) => page),
  ),
  mutant(
    "catalog: what is there again is listed again, behind the cursor too",
    "lists changes behind its own clock instead of the last one",
    lists(async function* (x, request) {
      for await (const page of catalog(x, request)) yield { ...page, cursor: { since: x.clock.now().toISOString() } };
    }),
  ),
  mutant("quota: what is left is told whole", "tells a time that is over", {
    quota: async (x) => ({ ...own(await quota(x)), resetsAt: "2026-11-20T07:00:00.000Z" }),
  }),
  mutant("quota: what is left is told whole", "tells the seconds until the reset for its time", {
    quota: async (x) => ({ ...own(await quota(x)), resetsAt: "3600" }),
  }),
  mutant("quota: to ask uses nothing up", "uses some of the allowance up by asking", {
    quota: async (x) => {
      const found = own(await quota(x));
      looks += 1;
      return { ...found, remaining: found.remaining - (looks % 50) };
    },
  }),
  mutant("quota: what others use is gone from it", "counts for itself what it thinks is left", {
    quota: async (x) => ({ ...own(await quota(x)), remaining: 90 }),
  }),
  mutant("quota: nothing left is 0, and no error", "throws when nothing is left", {
    quota: async (x) => {
      const found = own(await quota(x));
      if (found.remaining === 0) throw new ConnectorError("rate_limited", "Nothing is left.");
      return found;
    },
  }),
  mutant("notify: a message arrives as it was written", "leaves the title out", {
    notify: (x, message, request) => notify(x, { ...message, title: "" }, request),
  }),
  mutant("notify: a message arrives as it was written", "writes its text as markup", {
    notify: (x, message, request) =>
      notify(x, { ...message, body: message.body.replaceAll("<", "&lt;").replaceAll("&", "&amp;") }, request),
  }),
  mutant("notify: sent twice with one key, it is one message with one id", "does not hand the key on", { notify: tellAnew }),
  mutant("notify: two keys are two messages, though they say the same", "takes what says the same for the same message", {
    notify: (x, message) => notify(x, message, { idempotencyKey: message.title }),
  }),
  mutant("notify: messages of one conversation stand together, others apart", "puts everything into one conversation", {
    notify: (x, message, request) => notify(x, { ...message, threadKey: "all" }, request),
  }),
  mutant("notify: messages of one conversation stand together, others apart", "begins a conversation with each message", {
    notify: (x, message, request) => notify(x, { ...message, threadKey: request.idempotencyKey }, request),
  }),
  mutant("notify: a message whose answer is lost is not there twice", "says of a lost answer that nothing was sent", {
    notify: (...given) => without(notify(...given), "ambiguous"),
  }),
  mutant("notify: a message whose answer is lost is not there twice", "sends a message again by itself", {
    notify: (x, message, request) => notify(x, message, request).catch(() => tellAnew(x, message)),
  }),
  mutant(
    "notify: a refusal is what it is, says for how long, and leaves nothing in doubt",
    "takes a message that may not be sent for wrong credentials",
    {
      notify: (...given) => asKind(notify(...given), "permission", "auth"),
    },
  ),
  mutant("notify: a refusal is what it is, says for how long, and leaves nothing in doubt", "forgets for how long it is to wait", {
    notify: (...given) => without(notify(...given), "retryAfterMs"),
  }),
  mutant("notify: wrong secrets are auth, and nobody is told", "is silent about refused credentials", {
    notify: (...given) => asKind(notify(...given), "auth", "transient"),
  }),
  mutant("notify: a recipient that is not there is not_found or invalid", "takes an unknown recipient for a fault of the system", {
    notify: (...given) => asKind(notify(...given), "not_found", "unavailable"),
  }),
];
