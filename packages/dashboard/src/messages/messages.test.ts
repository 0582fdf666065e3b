import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type MessageFormatElement, parse, TYPE } from "@formatjs/icu-messageformat-parser";
import { describe, expect, it } from "vitest";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const textsOf = (language: string, room: string) =>
  JSON.parse(readFileSync(folder(`./${language}/${room}`), "utf8")) as { readonly [id: string]: string };
const rooms = readdirSync(folder("./en")).toSorted();
/** What the server refuses, and some things that it finds, it says in English itself: other languages have words of their own by its code or kind. */
const REFUSALS = "refusals.json";
const SERVER = "server.json";
/** Of which kinds of the API's there are words of which sort. */
const kinds: { readonly [sort: string]: string } = {
  finding: "EndpointFindingKind",
  suggestion: "AccessFinding",
  audit: "AuditProblemKind",
  trial: "TrialState",
};

/** The names of what a message wants to be given, and how: count (plural), until (select). */
function valuesOf(elements: readonly MessageFormatElement[]): readonly string[] {
  return elements.flatMap((element): readonly string[] => {
    if (element.type === TYPE.literal || element.type === TYPE.pound) return [];
    const own = `${element.value} (${TYPE[element.type]})`;
    if (element.type === TYPE.tag) return [own, ...valuesOf(element.children)];
    if (element.type === TYPE.plural || element.type === TYPE.select)
      return [own, ...Object.values(element.options).flatMap(({ value }) => valuesOf(value))];
    return [own];
  });
}
const wanted = (text: string) => [...new Set(valuesOf(parse(text)))].toSorted();

describe("the messages", () => {
  it("have the same rooms in both languages", () => {
    expect(readdirSync(folder("./es")).toSorted()).toEqual([...rooms, REFUSALS, SERVER].toSorted());
  });

  it.each(rooms)("of %s are the same in both languages, and want the same values", (room) => {
    const [en, es] = [textsOf("en", room), textsOf("es", room)];
    expect(Object.keys(es)).toEqual(Object.keys(en));
    for (const [id, text] of Object.entries(en)) {
      expect([id, ...wanted(es[id] ?? "")]).toEqual([id, ...wanted(text)]);
      expect(id.startsWith(`${room.replace(/\.json$/, "")}.`)).toBe(true);
      expect((es[id] ?? "").trim()).not.toBe("");
    }
  });

  it("of refusals are of codes that the server has, and want what it gives", () => {
    const reference = readFileSync(folder("../../../../docs/reference/errors.md"), "utf8");
    const given: { readonly [code: string]: readonly string[] } = {
      QSC_ACCESS_LOCKED: ["retryAfterSeconds (plural)"],
      QSC_HTTP_RATE_LIMITED: ["retryAfterSeconds (plural)"],
      QSC_REVIEW_UNDECIDED: ["undecided (plural)"],
      QSC_TIME_ZONE_UNKNOWN: ["timeZone (argument)"],
    };
    for (const [id, text] of Object.entries(textsOf("es", REFUSALS))) {
      const code = id.replace(/^refusals\./, "");
      expect([code, reference.includes(`\`${code}\``)]).toEqual([code, true]);
      expect([code, ...wanted(text)]).toEqual([code, ...(given[code] ?? [])]);
    }
  });

  it("of what the server says itself are of kinds that the API has", () => {
    const schema = readFileSync(folder("../../../server/schema.graphql"), "utf8");
    for (const id of Object.keys(textsOf("es", SERVER))) {
      const [, sort = "", kind] = id.split(".");
      const [, members = ""] = new RegExp(`^enum ${kinds[sort]} \\{\\n(.*?)^\\}`, "ms").exec(schema) ?? [];
      expect([id, members.split(/\s+/).includes(kind ?? "")]).toEqual([id, true]);
    }
  });

  it("are all used", () => {
    const sources = readdirSync(folder(".."), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name) && !/\.(test|generated|d)\.tsx?$/.test(name))
      .map((name) => readFileSync(folder(`../${name}`), "utf8"))
      .join("\n");
    // An id that is put together stands in the sources as `now.state.${state}`.
    const patterns = [...sources.matchAll(/`([a-z-]+\.[\w.-]*)\$\{[^`]*`/g)].map(([, start = ""]) => start);
    const unused = rooms
      .flatMap((room) => Object.keys(textsOf("en", room)))
      .filter((id) => !sources.includes(`"${id}"`) && !patterns.some((start) => id.startsWith(start)));
    expect(unused).toEqual([]);
  });
});
