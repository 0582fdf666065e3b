import { access, constants, mkdir } from "node:fs/promises";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, holdCacheFolder, print, printJson } from "../cli.js";
import { type ExitCodeName, exitCodes } from "../exit-codes.js";
import { send } from "../graphql-client.js";
import { readHealth } from "../operations/server-operations.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { styleOfState } from "../output/styles.js";

interface Finding {
  readonly name: string;
  readonly status: "PASS" | "WARN" | "FAIL";
  readonly detail: string;
}

const ANSWER_MS = 5_000;
/** Beyond it, countdowns and cached intervals are visibly off. */
const CLOCK_DIFFERENCE_WARN_MS = 2_000;

/** `quiesce doctor`: what is in the way. */
export function doctorCommand(cli: Cli): Command {
  return new Command("doctor")
    .description("check this machine's settings, the way to the server, and the server's own health")
    .option("--json", "print the findings as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const { findings, exit } = await examine(cli);
      if (options.json === true) printJson(cli, findings);
      else print(cli, ...findingLines(findings, cli));
      cli.exitCode = exitCodes[exit];
    });
}

async function examine(cli: Cli): Promise<{ readonly findings: readonly Finding[]; readonly exit: ExitCodeName }> {
  const local = [nodeFinding(), await cacheFinding(cli)];
  const connection = await cli.connection();
  local.push({ name: "address", status: "PASS", detail: connection.url });
  local.push(
    connection.token === undefined
      ? { name: "token", status: "FAIL", detail: "none. Set QUIESCE_TOKEN, or run this where the server's admin-token file can be read" }
      : { name: "token", status: "PASS", detail: `${connection.token.slice(0, 10)}… from ${connection.tokenSource}` },
  );
  try {
    const sent = cli.clock.wallMs();
    const live = await send(connection, "/livez", { method: "GET", timeoutMs: ANSWER_MS });
    local.push({
      name: "server",
      status: live.status === 200 ? "PASS" : "FAIL",
      detail: `answers /livez with ${live.status} in ${Math.round(cli.clock.wallMs() - sent)} ms`,
    });
    const { health } = await (await cli.api()).request(readHealth);
    const versions = {
      name: "versions",
      status: health.version === cli.version ? "PASS" : "WARN",
      detail: `server ${health.version}, this command line ${cli.version}`,
    } as const;
    const checks = health.checks.map((check): Finding => ({
      name: check.name,
      status: statusOf(check.status),
      detail: check.detail ?? shortText(check.observed),
    }));
    const findings = [...local, versions, ...clockFinding(health.checks, cli.clock.wallMs()), ...checks];
    return { findings, exit: findings.some((one) => one.status === "FAIL") ? "refused" : "ok" };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return {
      findings: [
        ...local,
        { name: "server", status: "FAIL", detail: `${error.code === undefined ? "" : `${error.code}: `}${error.message}` },
      ],
      exit: error.exit,
    };
  }
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = major > 20 || (major === 20 && minor >= 19);
  return {
    name: "node",
    status: fits ? "PASS" : "FAIL",
    detail: fits ? process.version : `${process.version}; Quiesce needs 20.19 or newer`,
  };
}

async function cacheFinding(cli: Cli): Promise<Finding> {
  const folder = holdCacheFolder(cli.environment);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
    return { name: "cache", status: "PASS", detail: folder };
  } catch (error) {
    return {
      name: "cache",
      status: "WARN",
      detail: `${folder} cannot be written (${error instanceof Error ? error.message : String(error)}); \`exec\` would know nothing when the server is away`,
    };
  }
}

/** The server says its time in a check of that name where it has one. */
function clockFinding(checks: readonly { readonly name: string; readonly observed?: unknown }[], now: number): readonly Finding[] {
  const observed = checks.find((check) => check.name === "clock")?.observed;
  const at = typeof observed === "string" ? Date.parse(observed) : typeof observed === "number" ? observed : Number.NaN;
  if (Number.isNaN(at)) return [];
  const difference = Math.round(at - now);
  return [
    {
      name: "clocks",
      status: Math.abs(difference) > CLOCK_DIFFERENCE_WARN_MS ? "WARN" : "PASS",
      detail: `this machine is ${Math.abs(difference)} ms ${difference > 0 ? "behind" : "ahead of"} the server`,
    },
  ];
}

function statusOf(text: string): Finding["status"] {
  return text === "PASS" || text === "WARN" ? text : "FAIL";
}

function shortText(observed: unknown): string {
  return observed === null || observed === undefined ? "" : typeof observed === "string" ? observed : JSON.stringify(observed);
}

function findingLines(findings: readonly Finding[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  return renderTable(
    [
      { title: "CHECK", value: (finding) => finding.name },
      {
        title: "RESULT",
        value: (finding) => finding.status.toLowerCase(),
        style: (text, finding) => styles[styleOfState(finding.status)](text),
      },
      { title: "DETAIL", value: (finding) => plainText(finding.detail) },
    ],
    findings,
    // Advice must be readable to its end.
    { width: undefined, styles },
  );
}
