import { TICKET_STATES, type RemoteTicket, type Ticket } from "../../index.js";
import { must, rejectedAs, show, withBench, type Bench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { Subject, TrackerOptions } from "../conformance-options.js";
import type { TestContext } from "../test-context.js";

type Tracker = NonNullable<Subject<unknown>["connector"]["tracker"]>;

interface Ticketing<T> extends Bench<T> {
  readonly x: TestContext;
  readonly tracker: Tracker;
  readonly options: TrackerOptions<T>;
  readonly create: (key?: string) => Promise<RemoteTicket>;
}

/** One trouble has one ticket, and nobody's work on it is written over. */
export function trackerCases<T>(subject: Subject<T>): SuiteCases {
  const { tracker } = subject.connector;
  if (tracker === undefined) return { skipped: "the connector keeps no tickets" };
  const options = subject.options.tracker ?? {};
  const one = (name: string, work: (ticketing: Ticketing<T>) => Promise<void>): ConformanceCase => ({
    suite: "tracker",
    name: `tracker: ${name}`,
    run: () =>
      withBench(subject, async (bench) => {
        const x = await bench.context();
        const create = (key = "incident-1"): Promise<RemoteTicket> => tracker.create(x, ticketOf(key), { idempotencyKey: `create:${key}` });
        await work({ ...bench, x, tracker, options, create });
      }),
  });
  return [
    one("the fields of its form are told", tellsFields),
    one("created twice with one key, it is one ticket, found by key and by id", createsOnce),
    one("two keys are two tickets", createsTwo),
    one("what is not there is not found, without an error", findsNothing),
    one("a change is made, and a comment with it", updates),
    one("a change over somebody else's is conflict", conflicts),
    ...(tracker.changes === undefined ? [] : [one("own changes are no news, others' are", tellsNews)]),
    ...(options.illegal === undefined ? [] : [one("what the tracker does not allow is invalid, with the field", refusesIllegal)]),
  ];
}

function ticketOf(key: string): Ticket {
  return { title: "The ERP does not answer", body: "Since 8 o'clock.", severity: "major", state: "open", deduplicationKey: key };
}

async function tellsFields<T>({ x, tracker }: Ticketing<T>): Promise<void> {
  const fields = await tracker.fields(x);
  for (const { name, type, values } of fields)
    must(type !== "enum" || (values ?? []).length > 0, `The field ${name} is an enum without values.`);
  must((await tracker.whoAmI(x)) !== "", "whoAmI answered with nothing.");
}

async function createsOnce<T>({ x, tracker, create }: Ticketing<T>): Promise<void> {
  const first = await create();
  const second = await create();
  must(first.id === second.id, `One key made the tickets ${first.id} and ${second.id}.`);
  const byKey = await tracker.find(x, { deduplicationKey: "incident-1" });
  must(byKey?.id === first.id, `The ticket ${first.id} is found by its key as ${show(byKey)}.`);
  const byId = await tracker.find(x, { id: first.id });
  must(byId?.ticket.title === ticketOf("incident-1").title, `The ticket ${first.id} is found by its id as ${show(byId)}.`);
  must(
    byId?.ticket.state === undefined || TICKET_STATES.includes(byId.ticket.state),
    `The ticket is in the state ${show(byId?.ticket.state)}, expected ${TICKET_STATES.join(", ")}.`,
  );
}

async function createsTwo<T>({ create }: Ticketing<T>): Promise<void> {
  const [first, second] = [await create("incident-1"), await create("incident-12")];
  must(first.id !== second.id, `Two keys made one ticket, ${first.id}.`);
}

async function findsNothing<T>({ x, tracker }: Ticketing<T>): Promise<void> {
  const found = await tracker.find(x, { deduplicationKey: "incident-never" });
  must(found === undefined, `A ticket that was never made is found as ${show(found)}.`);
}

async function updates<T>({ x, tracker, create }: Ticketing<T>): Promise<void> {
  const { id, version } = await create();
  const patch = { title: "The ERP answers again", comment: { body: "Restarted.", public: false } };
  await tracker.update(x, id, patch, { idempotencyKey: "update:1", ...(version === undefined ? {} : { ifVersion: version }) });
  const found = await tracker.find(x, { id });
  must(found?.ticket.title === patch.title, `After its title was changed the ticket is ${show(found)}.`);
}

async function conflicts<T>({ x, tracker, create, options, system }: Ticketing<T>): Promise<void> {
  const { id, version } = await create();
  if (version === undefined) return;
  if (options.edit === undefined) await tracker.update(x, id, { body: "First." }, { ifVersion: version, idempotencyKey: "update:1" });
  else await options.edit(system, id);
  const late = tracker.update(x, id, { body: "Second." }, { ifVersion: version, idempotencyKey: "update:2" });
  await rejectedAs("update over a version that is no more", ["conflict"], late);
}

async function tellsNews<T>({ x, tracker, create, options, system }: Ticketing<T>): Promise<void> {
  const news = async (): Promise<readonly string[]> => {
    const ids: string[] = [];
    for await (const page of tracker.changes?.(x, { cursor: null }) ?? []) {
      ids.push(...page.tickets.map((ticket) => ticket.id));
      if (!page.more) break;
    }
    return ids;
  };
  const { id } = await create();
  await tracker.update(x, id, { body: "Ours." }, { idempotencyKey: "update:1" });
  must(!(await news()).includes(id), `The ticket ${id}, which only these credentials have touched, is told as news.`);
  if (options.edit === undefined) return;
  await options.edit(system, id);
  must((await news()).includes(id), `Somebody else has edited the ticket ${id}, and it is not told as news.`);
}

async function refusesIllegal<T>({ x, tracker, create, options }: Ticketing<T>): Promise<void> {
  const { id } = await create();
  const { patch = {}, field } = options.illegal ?? {};
  const error = await rejectedAs(
    "update with what the tracker does not allow",
    ["invalid"],
    tracker.update(x, id, patch, { idempotencyKey: "update:1" }),
  );
  must(error.info.field === field, `What the tracker does not allow is blamed on ${show(error.info.field)}, expected ${show(field)}.`);
}
