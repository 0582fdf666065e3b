import { describe, expect, it } from "vitest";
import {
  arrows,
  brokenTextRules,
  forbiddenArrows,
  furtherFolders,
  innerBarrels,
  textRules,
  timeLibrariesOutsideTime,
  unknownFolders,
} from "./rules.js";
import { foldersOf, parseSource, sourceFiles } from "./source-files.js";

const floors = Object.keys(arrows);
const filesOf = new Map([...floors, "test"].map((floor) => [floor, sourceFiles(floor)]));
const on = (floor: string) => filesOf.get(floor) ?? [];

describe("the floors", () => {
  it("no source imports what its floor may not", () => {
    expect(floors.flatMap((floor) => on(floor).flatMap((file) => forbiddenArrows(floor, file)))).toEqual([]);
  });

  it("only core/time imports luxon and rrule", () => {
    expect(floors.flatMap((floor) => on(floor).flatMap(timeLibrariesOutsideTime))).toEqual([]);
  });

  it("the rooms are named by the domain's words", () => {
    expect(Object.keys(furtherFolders).flatMap((floor) => unknownFolders(floor, foldersOf(floor)))).toEqual([]);
  });

  it("a package has one index.ts, at its top", () => {
    expect(floors.flatMap((floor) => on(floor).flatMap((file) => innerBarrels(floor, file)))).toEqual([]);
  });

  it.each(textRules)("$name", (rule) => {
    expect(rule.floors.flatMap((floor) => on(floor).flatMap((file) => brokenTextRules(rule, file)))).toEqual([]);
  });

  it("the rules look at something", () => {
    for (const floor of ["packages/sdk/src", "packages/core/src", "packages/connectors/src", "packages/server/src"])
      expect(on(floor).length).toBeGreaterThan(5);
    expect(on("packages/server/src").flatMap((file) => file.imports).length).toBeGreaterThan(200);
  });
});

/** What each rule must refuse: a rule that refuses nothing holds nothing. */
describe("the rules", () => {
  const core = (text: string) => forbiddenArrows("packages/core/src", parseSource("packages/core/src/windows/made-up.ts", text));
  const server = (path: string, text: string) => forbiddenArrows("packages/server/src", parseSource(`packages/server/src/${path}`, text));

  it.each([
    ["core importing the server", core('import { createWindow } from "@quiesce/server";')],
    ["core importing node", core('import { readFile } from "node:fs/promises";')],
    ["core importing the SDK's values", core('import { ERROR_POLICIES } from "@quiesce/sdk";')],
    ["core leaving its floor", core('import { sql } from "../../../server/src/db/client.js";')],
    ["a re-export", core('export { x } from "postgres";')],
    ["an import over several lines", core('import {\n  one,\n  two,\n} from "drizzle-orm";')],
    ["a dynamic import", core('const x = await import("pg");')],
    ["the server importing connectors", server("runs/made-up.ts", 'import { http } from "@quiesce/connectors";')],
    ["Agenda outside its file", server("runs/claim.ts", 'import { Agenda } from "agenda";')],
    [
      "a connector importing core",
      forbiddenArrows("packages/connectors/src", parseSource("packages/connectors/src/http/x.ts", 'import { can } from "@quiesce/core";')),
    ],
    ["luxon outside time", timeLibrariesOutsideTime(parseSource("packages/core/src/windows/x.ts", 'import { DateTime } from "luxon";'))],
    ["a barrel", innerBarrels("packages/core/src", parseSource("packages/core/src/windows/index.ts", ""))],
    ["a folder without a name", unknownFolders("packages/server/src", ["utils"])],
  ])("refuse %s", (_name, violations) => {
    expect(violations).toHaveLength(1);
  });

  it.each([
    ["core reads no clock, no random and no environment", "packages/core/src/runs/x.ts", "const now = Date.now();"],
    ["core reads no clock, no random and no environment", "packages/core/src/runs/x.ts", "const today = new Date( );"],
    ["core reads no clock, no random and no environment", "packages/core/src/runs/x.ts", "const dice = Math.random();"],
    ["only clock.ts reads the process's time", "packages/server/src/runs/x.ts", "const at = performance.now();"],
    [
      "only config.ts and the command line's environment.ts read the environment",
      "packages/server/src/runs/x.ts",
      'const port = process.env["PORT"];',
    ],
    ["no any", "packages/server/src/runs/x.ts", "function f(x: any) {}"],
    ["no any", "packages/server/src/runs/x.ts", "const x = y as any;"],
    ["no any", "packages/server/src/runs/x.ts", "const x = new Map<string, any>();"],
    // In two pieces, because this file is looked at as well.
    ["nobody silences the compiler", "packages/server/src/runs/x.ts", ["// @ts", "ignore"].join("-")],
    ["only tests expect type errors", "packages/server/src/runs/x.ts", "// @ts-expect-error"],
    ["graphql.ts has no SQL", "packages/server/src/runs/graphql.ts", "await tx.execute(sql`select 1`);"],
    ["graphql.ts has no SQL", "packages/server/src/runs/graphql.ts", 'import { eq } from "drizzle-orm";'],
  ])("%s: refuses a breach in %s", (name, path, text) => {
    const file = parseSource(path, text);
    expect(textRules.filter((rule) => rule.name === name).flatMap((rule) => brokenTextRules(rule, file))).toHaveLength(1);
  });

  it("leave words in comments and texts alone", () => {
    const file = parseSource(
      "packages/core/src/runs/x.ts",
      '/** Never Date.now(). */ const x = "new Date() from any"; // process.env\nconst y = `Math.random()`;',
    );
    expect(textRules.filter((rule) => rule.inComments !== true).flatMap((rule) => brokenTextRules(rule, file))).toEqual([]);
    expect(core('/* import "pg"; */ // import "pg"\nconst s = \'import "pg"\';')).toEqual([]);
  });

  it("allow what the table allows", () => {
    expect(core('import type { ErrorKind } from "@quiesce/sdk";\nimport { z } from "zod";\nimport { x } from "../time/zone.js";')).toEqual(
      [],
    );
    expect(server("main.ts", 'import { connectors } from "@quiesce/connectors";')).toEqual([]);
    expect(server("windows/graphql.ts", 'import { queryField } from "@pothos/core";')).toEqual([]);
  });
});
