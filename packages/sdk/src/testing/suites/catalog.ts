import { cursorProblem, type CatalogItem, type CatalogPage, type Cursor } from "../../index.js";
import {
  allOf,
  must,
  optionsMissing,
  rejectedAs,
  show,
  withFilledBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { CatalogOptions, Subject } from "../conformance-options.js";
import { inFuture } from "../future-cursor.js";

interface Listing {
  readonly type: CatalogPage["type"];
  readonly items: readonly CatalogItem[];
  readonly removed: readonly string[];
  readonly cursor: Cursor | null;
}

interface Cataloguing<T> extends Bench<T> {
  readonly options: CatalogOptions<T>;
  readonly list: (cursor?: Cursor | null) => Promise<Listing>;
}

/** Everything that a system knows is listed once, under names that stay, with what it needs. */
export function catalogCases<T>(subject: Subject<T>): SuiteCases {
  const { connector } = subject;
  if (connector.catalog === undefined) return { skipped: "the connector lists no catalogue" };
  const { catalog: options } = subject.options;
  if (options === undefined) return optionsMissing("catalog", "it says what the system knows, and what of it needs what");
  const one = (name: string, work: (cataloguing: Cataloguing<T>) => Promise<void>): ConformanceCase => ({
    suite: "catalog",
    name: `catalog: ${name}`,
    run: () =>
      withFilledBench(subject, async (bench) => {
        const list = async (cursor: Cursor | null = null): Promise<Listing> =>
          listingOf(await allOf(connector.catalog?.(await bench.context(), { cursor })));
        await work({ ...bench, options, list });
      }),
  });
  return [
    one("everything is listed once, and whole", listsAll),
    one("what each needs is told by the ids of the listing", tellsDependencies),
    one("ids stay the same from listing to listing", keepsIds),
    one("a listing is of one type, and its cursor can be kept", isOfOneType),
    one("a cursor of the future does not silence it for ever", survivesFuture),
    ...(options.remove === undefined ? [] : [one("what is gone is absent from a full listing, or told as removed", followsRemovals)]),
    ...(options.remove === undefined || options.seed === undefined
      ? []
      : [one("what is there again is listed again, behind the cursor too", followsAdditions)]),
  ];
}

function listingOf(pages: readonly CatalogPage[]): Listing {
  const last = pages.at(-1);
  must(last?.more === false, `catalog ended after ${pages.length} pages without one that says more: false.`);
  const types = [...new Set(pages.map(({ type }) => type))];
  must(types.length === 1, `The pages of one listing are of the types ${show(types)}, expected one.`);
  return {
    type: last.type,
    items: pages.flatMap(({ items }) => items),
    removed: pages.flatMap(({ removed }) => removed ?? []),
    cursor: last.cursor,
  };
}

const idsOf = ({ items }: Listing): readonly string[] => items.map(({ id }) => id).toSorted();

async function listsAll<T>({ options, list }: Cataloguing<T>): Promise<void> {
  const expected = options.things.map(({ id }) => id).toSorted();
  must(expected.length > 1, "options.catalog.things names fewer than two things; the listing would show little.");
  const listing = await list();
  must(show(idsOf(listing)) === show(expected), `The system knows ${show(expected)}, catalog lists ${show(idsOf(listing))}.`);
  for (const { id, kind, name } of listing.items)
    must(kind !== "" && name !== "", `The thing ${show(id)} has the kind ${show(kind)} and the name ${show(name)}, expected both.`);
}

async function tellsDependencies<T>({ options, list }: Cataloguing<T>): Promise<void> {
  const { items } = await list();
  const ids = new Set(items.map(({ id }) => id));
  must(
    options.things.some(({ dependsOn }) => dependsOn.length > 0),
    "options.catalog.things names nothing that needs another.",
  );
  for (const { id, dependsOn } of options.things) {
    const found = items.find((item) => item.id === id)?.dependsOn ?? [];
    must(show(found.toSorted()) === show(dependsOn.toSorted()), `${id} needs ${show(dependsOn)}, catalog says ${show(found)}.`);
    const strange = found.filter((name) => !ids.has(name));
    must(strange.length === 0, `${id} needs ${show(strange)}, which the listing does not have.`);
  }
}

async function keepsIds<T>({ list }: Cataloguing<T>): Promise<void> {
  const [first, second] = [await list(), await list()];
  must(
    show(idsOf(first)) === show(idsOf(second)),
    `Two listings of the same have the ids ${show(idsOf(first))} and ${show(idsOf(second))}.`,
  );
}

async function isOfOneType<T>({ list }: Cataloguing<T>): Promise<void> {
  const { type, removed, cursor } = await list();
  must(type === "full", `A listing from the beginning is of the type ${show(type)}, expected full.`);
  must(removed.length === 0, `A full listing tells ${show(removed)} as removed; what it does not list is gone.`);
  const problem = cursor === null ? undefined : cursorProblem(cursor);
  must(problem === undefined, `catalog gave a cursor that cannot be kept: ${problem ?? ""}.`);
}

async function survivesFuture<T>({ options, list, system }: Cataloguing<T>): Promise<void> {
  const cursor = inFuture((await list()).cursor);
  if (cursor === null) return;
  const [thing] = options.things;
  if (thing !== undefined) await options.remove?.(system, thing.id);
  const outcome = list(cursor);
  const listing = await outcome.catch(() => undefined);
  if (listing === undefined) {
    await rejectedAs("catalog from a cursor of the future", ["config"], outcome);
    return;
  }
  must(
    listing.type === "full" || listing.removed.includes(thing?.id ?? ""),
    `From a cursor of the year 2999 catalog gave ${show(listing)}. List everything, or throw config.`,
  );
}

async function followsRemovals<T>({ options, list, system }: Cataloguing<T>): Promise<void> {
  const before = await list();
  const gone = options.things.find(({ id }) => !options.things.some(({ dependsOn }) => dependsOn.includes(id)))?.id ?? "";
  await options.remove?.(system, gone);
  for (const cursor of before.cursor === null ? [null] : [null, before.cursor]) {
    const after = await list(cursor);
    must(!idsOf(after).includes(gone), `${gone} is gone, and is listed ${cursor === null ? "from the beginning" : "behind the cursor"}.`);
    must(
      after.type === "full" || after.removed.includes(gone),
      `${gone} is gone, and a listing of changes tells ${show(after.removed)} as removed.`,
    );
  }
}

async function followsAdditions<T>({ options, list, system }: Cataloguing<T>): Promise<void> {
  const gone = options.things.find(({ id }) => !options.things.some(({ dependsOn }) => dependsOn.includes(id)))?.id ?? "";
  await options.remove?.(system, gone);
  const { cursor } = await list();
  await options.seed?.(system, options.things);
  const after = await list(cursor);
  must(
    idsOf(after).includes(gone),
    `${gone} is there again, and the listing ${cursor === null ? "" : "behind the cursor "}has ${show(idsOf(after))}.`,
  );
}
