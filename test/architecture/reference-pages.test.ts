import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildSchema } from "graphql";
import { sourceFiles } from "./source-files.js";

const page = (name: string) => readFileSync(new URL(`../../docs/reference/${name}.md`, import.meta.url), "utf8");
const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const sources = () => sourceFiles("packages").filter(({ isTest, path }) => !isTest && /^packages\/[a-z]+\/src\//.test(path));
const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
const sorted = (values: Iterable<string>) => [...new Set(values)].toSorted();

describe("docs/reference/errors.md", () => {
  it("lists exactly the codes that the sources refuse with", () => {
    const codes = sources().flatMap(({ text }) => [
      ...found(text, /["'`](QSC_[A-Z0-9_]*[A-Z0-9])["'`]/g),
      // The rules of a recurrence are shared by windows and schedules.
      ...found(text, /`QSC_\$\{room\}_([A-Z0-9_]+)`/g).flatMap((rest) => [`QSC_WINDOW_${rest}`, `QSC_SCHEDULE_${rest}`]),
    ]);
    // A prefix that code compares with is no code.
    const whole = codes.filter((code) => code !== "QSC_EVENTS_CURSOR");
    expect(sorted(found(page("errors"), /`(QSC_[A-Z0-9_]*[A-Z0-9])`/g))).toEqual(sorted(whole));
  });

  it("explains each code once", () => {
    const rows = page("errors")
      .split("\n")
      .filter((line) => line.startsWith("| `QSC_"));
    const codes = rows.flatMap((line) => found(line.split("|")[1] ?? "", /`(QSC_[A-Z0-9_]+)`/g));
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
    for (const row of rows)
      expect(
        row.split("|").filter((cell) => cell.trim().length > 3),
        row,
      ).toHaveLength(3);
  });
});

describe("docs/reference/events.md", () => {
  it("lists exactly the kinds that are written", () => {
    const noun =
      "(?:window|hold|run|inbox|catalogue|control|token|principal|session|attempts|calendar|team|audit|credential|access-review)";
    const kinds = [
      ...sources()
        .filter(({ path }) => !path.includes("/cli/") && !path.endsWith("/can.ts"))
        .flatMap(({ text }) => found(text, new RegExp(`["'](${noun}\\.(?:[a-z]+(?:-[a-z]+)*(?:ed|eld|en)|overrun|overdue))["']`, "g"))),
      // The sweep of released runs names the state that each one takes.
      ...sources().flatMap(({ text }) => (text.includes("'run.' || m.state") ? ["run.skipped", "run.coalesced"] : [])),
      ...["0005-claim.sql", "0012-drain.sql"].flatMap((name) =>
        found(file(`packages/server/migrations/${name}`), new RegExp(`'(${noun}\\.[a-z-]+)'`, "g")),
      ),
    ];
    expect(sorted(found(page("events"), new RegExp(`^\\| \`(${noun}\\.[a-z-]+)\``, "gm")))).toEqual(sorted(kinds));
  });
});

describe("docs/reference/events.md, of unusual access,", () => {
  it("lists exactly the kinds that are judged", () => {
    const kinds = found(file("packages/core/src/access/judge-access.ts"), /"(access\.[a-z-]+)"/g);
    expect(sorted(found(page("events"), /^\| `(access\.[a-z-]+)`/gm))).toEqual(sorted(kinds));
  });
});

describe("docs/threat-model.md", () => {
  it("names tests that there are", () => {
    const text = readFileSync(new URL("../../docs/threat-model.md", import.meta.url), "utf8");
    const tests = new Set([...sourceFiles("packages"), ...sourceFiles("test")].map(({ path }) => path.split("/").at(-1)));
    const named = found(text, /`([a-z-]+\.test\.ts)`/g);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !tests.has(name))).toEqual([]);
  });
});

describe("docs/reference/graphql.md", () => {
  it("names every query, mutation and subscription of the schema", () => {
    const schema = buildSchema(file("packages/server/schema.graphql"));
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const fields = roots.flatMap((root) => Object.keys(root?.getFields() ?? {}));
    const named = new Set(found(page("graphql"), /`([a-zA-Z]+)`/g));
    expect(fields.filter((field) => !named.has(field))).toEqual([]);
  });
});
