import { readFileSync, writeFileSync } from "node:fs";
import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { clock } from "../clock.js";
import type { Cli, Output } from "./cli.js";
import { readCliEnvironment } from "./environment.js";
import { exitCodes } from "./exit-codes.js";
import { stylesOf } from "./output/styles.js";
import { buildProgram, commandsOf } from "./program.js";

const file = new URL("../../../../docs/reference/cli.md", import.meta.url);
const BEGIN =
  "<!-- commands: written by the test of the command line, UPDATE_DOCS=1 npx vitest run packages/server/src/cli/reference.test.ts -->";
const END = "<!-- commands end -->";

const silent: Output = {
  isTerminal: false,
  styles: stylesOf(false),
  columns: () => undefined,
  rows: () => undefined,
  write: () => undefined,
};
const never = (): never => {
  throw new Error("No command runs here.");
};
const cli: Cli = {
  environment: readCliEnvironment({}, "/"),
  out: silent,
  err: silent,
  input: { isTerminal: false, readAll: never, ask: never },
  clock,
  version: "0.0.0",
  connection: never,
  api: never,
  exitCode: 0,
};

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
const cell = (text: string): string => text.replaceAll("|", "\\|");

function optionMeaning(option: Option): string {
  const choices = option.argChoices === undefined ? "" : ` One of ${option.argChoices.map((choice) => `\`${choice}\``).join(", ")}.`;
  const fallback = option.negate || option.defaultValue === undefined ? "" : ` Default: \`${String(option.defaultValue)}\`.`;
  return `${sentence(option.description)}${choices}${option.mandatory ? " Required." : ""}${fallback}`;
}

function commandSection(name: string, command: Command): string {
  const title = `### quiesce ${name}\n\n${sentence(command.description())}\n`;
  if (command.commands.length > 0) return title;
  const words = command.registeredArguments.map((argument) => {
    const text = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${text}>` : `[${text}]`;
  });
  const usage = [
    "quiesce",
    name,
    ...(command.options.length === 0 ? [] : ["[options]"]),
    ...(name === "exec" ? ["--"] : []),
    ...words,
  ].join(" ");
  const rows = [
    ...command.registeredArguments.map((argument) => {
      const choices =
        argument.argChoices === undefined ? "" : ` One of ${argument.argChoices.map((choice) => `\`${choice}\``).join(", ")}.`;
      return `| \`${argument.name()}\` | ${cell(sentence(argument.description) + choices)} |`;
    }),
    ...command.options.map((option) => `| \`${cell(option.flags)}\` | ${cell(optionMeaning(option))} |`),
  ];
  const table = rows.length === 0 ? "" : `\n| | |\n|---|---|\n${rows.join("\n")}\n`;
  return `${title}\n\`\`\`\n${usage}\n\`\`\`\n${table}`;
}

const commands = commandsOf(buildProgram(cli));
const wanted = commands.map(({ name, command }) => commandSection(name, command)).join("\n");

function documentParts(): { readonly before: string; readonly commands: string; readonly after: string } {
  const text = readFileSync(file, "utf8");
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  return { before: text.slice(0, begin), commands: text.slice(begin, end), after: text.slice(end) };
}

describe("docs/reference/cli.md", () => {
  it("lists exactly the commands that there are, with their options", () => {
    const parts = documentParts();
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, `${parts.before}\n\n${wanted}\n${parts.after}`);
    expect(documentParts().commands.trim()).toBe(wanted.trim());
  });

  it("lists exactly the exit codes that there are", () => {
    const listed = [...documentParts().before.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(listed.toSorted((a, b) => a - b)).toEqual(Object.values(exitCodes).toSorted((a, b) => a - b));
  });

  it("names every environment variable that is read", () => {
    const source = readFileSync(new URL("environment.ts", import.meta.url), "utf8");
    const names = [...source.matchAll(/given\("([A-Z_]+)"\)/g)].map((match) => match[1] ?? "").filter((name) => name !== "TERM");
    expect(names.length).toBeGreaterThan(5);
    for (const name of [...names, "QUIESCE_INTEGRATION", "QUIESCE_RUN"]) expect(documentParts().before).toContain(`\`${name}\``);
  });
});

describe("the commands", () => {
  it("take JSON wherever they answer with data", () => {
    const without = commands
      .filter(({ command }) => command.commands.length === 0 && !command.options.some((option) => option.long === "--json"))
      .map(({ name }) => name);
    // The last three answer with JSON in any case.
    expect(without).toEqual(["start", "samples export", "exec", "export", "access-review export", "audit export", "audit head"]);
  });

  it("want a reason wherever they change what runs", () => {
    for (const name of ["pause", "resume", "window end", "window extend", "window cancel"]) {
      const command = commands.find((one) => one.name === name)?.command;
      expect(command?.options.find((option) => option.long === "--reason")?.mandatory, name).toBe(true);
    }
  });
});
