import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstPartyConnectors } from "@quiesce/connectors";
import { reviewHash } from "@quiesce/core";
import { type App, createApp } from "../../packages/server/src/app.js";
import { sha256 } from "../../packages/server/src/audit/sha256.js";
import type { Output } from "../../packages/server/src/cli/cli.js";
import { readCliEnvironment } from "../../packages/server/src/cli/environment.js";
import { exitCodes } from "../../packages/server/src/cli/exit-codes.js";
import { stylesOf } from "../../packages/server/src/cli/output/styles.js";
import { buildProgram, commandsOf } from "../../packages/server/src/cli/program.js";
import { runCli } from "../../packages/server/src/cli/run-cli.js";
import { clock } from "../../packages/server/src/clock.js";
import { readConfig } from "../../packages/server/src/config.js";
import { version } from "../../packages/server/src/version.js";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import { type Block, blocksOf, pages } from "./markdown.js";
import { shellCommands } from "./shell-commands.js";

interface DocumentedCommand {
  readonly where: string;
  readonly argv: readonly string[];
}

const blocks = pages().flatMap(blocksOf);

/** The arguments of a command line when it is one of quiesce. */
function argvOf(words: readonly string[]): readonly string[] | undefined {
  const [program = "", next] = words;
  if (program === "npx" && next === "quiesce") return words.slice(2);
  return program.endsWith("quiesce") && !program.includes("=") ? words.slice(1) : undefined;
}

function commandsIn(block: Block): readonly DocumentedCommand[] {
  const code = block.language === "ini" ? block.code.replace(/^ExecStart=/gm, "") : block.code;
  return shellCommands(code).flatMap(({ words, line }) => {
    const argv = argvOf(words);
    return argv === undefined ? [] : [{ where: `${block.page}:${block.line + line - 1}  quiesce ${argv.join(" ")}`, argv }];
  });
}

const unasked = () => Promise.reject(new Error("no server is asked here"));
const names = commandsOf(buildProgram({ ...surroundings([]), exitCode: 0, connection: unasked, api: unasked })).map(({ name }) => name);

/** Inline code that is a whole command of quiesce, without what the reader has to fill in. */
function commandsInProse(): readonly DocumentedCommand[] {
  return pages().flatMap(({ path, text }) => {
    const prose = text.replace(/^```[\s\S]*?^```/gm, "");
    return [...prose.matchAll(/`((?:npx )?quiesce [^`]+)`/g)].flatMap(([, code = ""]) =>
      shellCommands(
        code
          .replaceAll("…", "x")
          .replace(/<[a-z]+>/g, "x")
          .replace(/[()]/g, ""),
      ).flatMap(({ words }) => {
        const argv = argvOf(words);
        // A command's bare name speaks of it; what it needs besides is said elsewhere.
        return argv === undefined || code.includes("(")
          ? []
          : [{ where: `${path}  ${code}`, argv: names.includes(argv.join(" ")) ? [...argv, "--help"] : argv }];
      }),
    );
  });
}

const documented = blocks.filter(({ language }) => language === "sh" || language === "ini").flatMap(commandsIn);

/** What a command line would be refused for, without running it. */
async function refusalOf(argv: readonly string[]): Promise<string | undefined> {
  const said: string[] = [];
  const program = buildProgram({ ...surroundings(said), exitCode: 0, connection: unasked, api: unasked });
  const commands = commandsOf(program);
  for (const command of [program, ...commands.map((named) => named.command)]) quiet(command, said);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return undefined;
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
    return code === "commander.version" || code === "commander.helpDisplayed" ? undefined : said.join("") || String(error);
  }
}

function quiet(command: ReturnType<typeof buildProgram>, said: string[]): void {
  command.exitOverride();
  command.configureOutput({ writeOut: () => undefined, writeErr: (text) => void said.push(text) });
  // A group has no action of its own: without a command of it there is an error.
  if (command.commands.length === 0) command.action(() => undefined);
}

function surroundings(said: string[], environment: NodeJS.ProcessEnv = {}) {
  const output: Output = {
    isTerminal: false,
    styles: stylesOf(false),
    columns: () => 100,
    rows: () => undefined,
    write: (text) => void said.push(text),
  };
  const input = { isTerminal: false, readAll: async () => "", ask: async () => "" };
  return { environment: readCliEnvironment(environment, "/"), out: output, err: output, input, clock, version };
}

describe("a command of the documentation", () => {
  it("is looked at: there are many", () => {
    expect(documented.length).toBeGreaterThan(40);
    expect(commandsInProse().length).toBeGreaterThan(10);
  });

  it.each([...documented, ...commandsInProse()].map(({ where, argv }) => [where, argv] as const))("%s is understood", async (_, argv) => {
    expect(await refusalOf(argv)).toBeUndefined();
  });

  it("would be seen if it were wrong", async () => {
    expect(await refusalOf(["window", "end", "erp-patches"])).toContain("--reason");
    expect(await refusalOf(["runs", "--state", "broken"])).toContain("broken");
    expect(await refusalOf(["gait", "erp-orders"])).toContain("gait");
  });
});

/** Files that a reader has, or that one command writes for the next. */
const filesOfReaders = [
  "rules.yaml",
  "workspace.yaml",
  "orders.jsonl",
  "history.csv",
  "mapping.json",
  "march.csv",
  "records.jsonl",
  "holidays.ics",
  "spain.yaml",
  "heads.jsonl",
  "october.jsonl",
  "october.csv",
  "review-1.json",
];
const holidays = [
  "BEGIN:VCALENDAR",
  "VERSION:2.0",
  "PRODID:-//docs//EN",
  "BEGIN:VEVENT",
  "UID:epiphany",
  "DTSTAMP:20260101T000000Z",
  "DTSTART;VALUE=DATE:20270106",
  "RRULE:FREQ=YEARLY",
  "SUMMARY:Epiphany",
  "END:VEVENT",
  "END:VCALENDAR",
  "",
].join("\r\n");

describe("a command of the documentation, run against a server", () => {
  let fresh: FreshDatabase;
  let app: App;
  let folder: string;

  beforeAll(async () => {
    fresh = await freshDatabase();
    folder = await mkdtemp(join(tmpdir(), "quiesce-docs-"));
    const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder });
    app = await createApp({ config, databaseUrl: fresh.url, connectors: firstPartyConnectors, log: pino({ level: "silent" }) });
    const workspace = blocks.find(({ page, language }) => page === "docs/operators.md" && language === "yaml")?.code ?? "";
    await writeFile(join(folder, "workspace.yaml"), workspace);
    await writeFile(join(folder, "holidays.ics"), holidays);
    const evidence = { review: { review: 1, title: "Access, 4th quarter", items: 0 }, items: [] };
    const review = { quiesceAccessReview: 1, hash: reviewHash(evidence, sha256), auditEntry: null, ...evidence };
    await writeFile(join(folder, "review-1.json"), JSON.stringify(review));
    const mapping = blocks.find(({ page, language }) => page === "docs/mapping.md" && language === "json")?.code ?? "";
    await writeFile(join(folder, "mapping.json"), mapping);
    const rules = blocks.find(({ page, language }) => page === "docs/incidents.md" && language === "json")?.code ?? "";
    await writeFile(join(folder, "rules.yaml"), rules);
    const samples = blocks.find(({ page, code }) => page === "docs/kpis.md" && code.startsWith("integration,metric"))?.code ?? "";
    await writeFile(join(folder, "history.csv"), samples);
    await writeFile(join(folder, "records.jsonl"), '{"key":"4711","data":{"name":"Ada"}}\n');
    await writeFile(join(folder, "orders.jsonl"), '{"key":"4711","record":{"id":"4711"}}\n');
    expect(await run(["apply", "-f", "workspace.yaml"])).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await app?.stop();
    await fresh?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (argv: readonly string[]): Promise<{ readonly code: number; readonly said: string }> => {
    const said: string[] = [];
    const environment = {
      QUIESCE_URL: app.url,
      QUIESCE_TOKEN: app.firstToken ?? "",
      SHOP_PASSWORD: "only for this test",
      XDG_CACHE_HOME: folder,
    };
    const inFolder = argv.map((word) => (filesOfReaders.includes(word) ? join(folder, word) : word));
    return { code: await runCli(inFolder, surroundings(said, environment)), said: said.join("") };
  };

  /** These start a server, wait for one, run a program, want a terminal, or work with secrets and keys of the reader's machine. */
  const notHere = ({ argv }: DocumentedCommand) =>
    ["start", "migrate", "backup", "restore", "exec", "key"].includes(argv[0] ?? "") ||
    argv.includes("--watch") ||
    argv[1] === "wait" ||
    argv[1] === "stage" ||
    (argv[0] ?? "").startsWith("--");
  const runnable = documented.filter((command) => !notHere(command));

  it.each(runnable.map(({ where, argv }) => [where, argv] as const))("%s is answered", async (_, argv) => {
    const { code, said } = await run(argv);
    // The example's names are not those of this workspace, and no window is open: a refusal is an answer. A wrong command line or a bug is none.
    expect([exitCodes.ok, exitCodes.refused, exitCodes.held], said).toContain(code);
    if (code === exitCodes.refused) expect(said).toMatch(/QSC_[A-Z]+_|fail/);
  });
});
