import { Command, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { createToken, listTokens, revokeToken } from "../operations/server-operations.js";
import { instantOf, type TokenAnswer } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { CliError } from "../cli-error.js";
import { enumOf, grantOption, type GrantInput, grantsText } from "../grants.js";
import { parseInstantOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";

const MOST_TOKENS = 10_000;
const ROLES = ["viewer", "operator", "approver", "connector-author", "auditor", "admin"] as const;

/** `quiesce token`: who may do what. */
export function tokenCommand(cli: Cli): Command {
  return new Command("token")
    .description("make, list and revoke API tokens")
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(revokeCommand(cli));
}

interface CreateOptions {
  readonly name: string;
  readonly role?: string;
  readonly grant: readonly GrantInput[];
  readonly expires?: string;
  readonly account?: string;
  readonly json?: boolean;
}

function createCommand(cli: Cli): Command {
  return new Command("create")
    .description("make a token; its secret is printed to standard output, this once")
    .requiredOption("--name <text>", "who or what uses it")
    .addOption(new Option("--role <role>", "what it may do everywhere").choices(ROLES))
    .option("--grant <grant>", "what it may do, where: operator@team:erp, viewer@system:wms; again for more", grantOption, [])
    .option("--expires <time>", "when it ends: +90d, or ISO 8601 with an offset (default: when it is revoked)")
    .option("--account <name>", "the account that it belongs to (default: a service account of the token's own name)")
    .option("--json", "print the token with its secret as JSON")
    .action(async (options: CreateOptions) => {
      const expiresAt =
        options.expires === undefined ? null : new Date(parseInstantOption(options.expires, "--expires", cli.clock.wallMs())).toISOString();
      const account = options.account === undefined ? {} : { account: options.account };
      if (options.role === undefined && options.grant.length === 0)
        throw new CliError("usage", "Say what the token may do: --role for everything, or --grant for a part of it.");
      const role = options.role === undefined ? {} : { role: enumOf(options.role) };
      const grants = options.grant.length === 0 ? {} : { grants: options.grant };
      const input = { name: options.name, ...role, ...grants, expiresAt, ...account };
      const { createToken: made } = await (await cli.api()).request(createToken, { input });
      if (options.json === true) {
        printJson(cli, made);
        return;
      }
      note(
        cli,
        `Token ${made.token.key} for ${plainText(made.token.name)} (${grantsText(made.token.grants)}). Keep it now: it is not shown again.`,
      );
      print(cli, made.secret);
    });
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list tokens, without their secrets")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const found = await readPages(MOST_TOKENS, async (page) => (await api.request(listTokens, page)).tokens);
      if (options.json === true) printJson(cli, found);
      else print(cli, ...tokenLines(found, cli));
    });
}

function tokenLines(tokens: readonly TokenAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const now = cli.clock.wallMs();
  const optional = (text: string | null, otherwise: string): string => (text === null ? otherwise : formatLocalInstant(instantOf(text)));
  const state = (token: TokenAnswer): string => {
    if (token.revokedAt !== null) return "revoked";
    return token.expiresAt !== null && instantOf(token.expiresAt) <= now ? "expired" : "valid";
  };
  return renderTable(
    [
      { title: "TOKEN", value: (token) => token.key },
      { title: "NAME", value: (token) => token.name, flexible: true },
      { title: "GRANTS", value: (token) => grantsText(token.grants), flexible: true },
      { title: "STATE", value: state, style: (text, token) => (state(token) === "valid" ? styles.green(text) : styles.dim(text)) },
      { title: "BEGINS", value: (token) => `${token.prefix}…` },
      { title: "EXPIRES", value: (token) => optional(token.expiresAt, "never") },
      { title: "LAST USED", value: (token) => optional(token.lastUsedAt, "never") },
      { title: "MADE BY", value: (token) => token.createdBy, flexible: true },
    ],
    tokens,
    { width: cli.out.columns(), styles },
  );
}

function revokeCommand(cli: Cli): Command {
  return new Command("revoke")
    .description("end a token at once; its open connections are closed")
    .argument("<token>", "the token's number, as `token list` shows it")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the token as JSON")
    .action(async (key: string, options: { readonly reason?: string; readonly json?: boolean }) => {
      const { revokeToken: revoked } = await (
        await cli.api()
      ).request(revokeToken, { input: { key, ...(options.reason === undefined ? {} : { reason: options.reason }) } });
      if (options.json === true) printJson(cli, revoked);
      else print(cli, `Token ${revoked.key} (${plainText(revoked.name)}) is revoked.`);
    });
}
