import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, print, printJson } from "../cli.js";
import type { GraphqlClient } from "../graphql-client.js";
import { grantsText } from "../grants.js";
import {
  type AccountAnswer,
  createServiceAccount,
  disableAccount,
  enableAccount,
  listAccounts,
  readAccount,
  setAccountOwner,
} from "../operations/account-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST_ACCOUNTS = 10_000;

/** `quiesce account`: people and programs. */
export function accountCommand(cli: Cli): Command {
  return new Command("account")
    .description("accounts of people and programs: list them, make one for a program, say who answers for it, disable and enable them")
    .addCommand(listCommand(cli))
    .addCommand(createServiceCommand(cli))
    .addCommand(setOwnerCommand(cli))
    .addCommand(disableCommand(cli))
    .addCommand(enableCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list accounts; people appear when they sign in for the first time")
    .option("--people", "only people")
    .option("--services", "only service accounts")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly people?: boolean; readonly services?: boolean; readonly json?: boolean }) => {
      const kind = options.people === options.services ? {} : { kind: options.people === true ? "PERSON" : "SERVICE" };
      const api = await cli.api();
      const found = await readPages(MOST_ACCOUNTS, async (page) => (await api.request(listAccounts, { ...page, filter: kind })).principals);
      if (options.json === true) printJson(cli, found);
      else print(cli, ...accountLines(found, cli));
    });
}

function accountLines(accounts: readonly AccountAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const state = ({ disabledAt }: AccountAnswer): string => (disabledAt === null ? "enabled" : "disabled");
  return renderTable(
    [
      { title: "ACCOUNT", value: (one) => one.key },
      { title: "NAME", value: (one) => plainText(one.name), flexible: true },
      { title: "KIND", value: (one) => (one.kind === "SERVICE" ? "service" : one.issuer === null ? "person (local)" : "person") },
      { title: "STATE", value: state, style: (text, one) => (one.disabledAt === null ? styles.green(text) : styles.dim(text)) },
      { title: "SESSIONS MAY", value: (one) => grantsText(one.grants), flexible: true },
      { title: "OWNER", value: (one) => plainText(one.owner ?? ""), flexible: true },
      { title: "LAST SEEN", value: (one) => (one.lastSeenAt === null ? "never" : formatLocalInstant(instantOf(one.lastSeenAt))) },
    ],
    accounts,
    { width: cli.out.columns(), styles },
  );
}

function createServiceCommand(cli: Cli): Command {
  return new Command("create-service")
    .description("make an account for a program; it does nothing before a token is made for it")
    .argument("<name>", "what the program is called")
    .requiredOption("--owner <text>", "the team or person that answers for it")
    .option("--json", "print the account as JSON")
    .action(async (name: string, options: { readonly owner: string; readonly json?: boolean }) => {
      const { createServiceAccount: made } = await (
        await cli.api()
      ).request(createServiceAccount, { input: { name, owner: options.owner } });
      if (options.json === true) printJson(cli, made);
      else
        print(
          cli,
          `Account ${made.key} (${plainText(made.name)}) is made. A token for it: quiesce token create --account "${plainText(made.name)}" …`,
        );
    });
}

function setOwnerCommand(cli: Cli): Command {
  return new Command("set-owner")
    .description("say which team or person answers for a service account")
    .argument("<account>", "its number or its name, as `account list` shows them")
    .requiredOption("--owner <text>", "the team or person")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the account as JSON")
    .action(async (wanted: string, options: { readonly owner: string; readonly reason?: string; readonly json?: boolean }) => {
      const api = await cli.api();
      const input = { ...turnOf(await accountOf(api, wanted), options), owner: options.owner };
      const { setServiceAccountOwner: changed } = await api.request(setAccountOwner, { input });
      if (options.json === true) printJson(cli, changed);
      else print(cli, `${plainText(changed.owner ?? "Nobody")} answers for account ${changed.key} (${plainText(changed.name)}).`);
    });
}

interface TurnOptions {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

function disableCommand(cli: Cli): Command {
  return new Command("disable")
    .description("end everything an account can do, at once: its tokens, its sessions and its open connections")
    .argument("<account>", "its number or its name, as `account list` shows them")
    .option("-r, --reason <text>", "why; stays on record")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the account as JSON")
    .action(async (wanted: string, options: TurnOptions) => {
      const api = await cli.api();
      const found = await accountOf(api, wanted);
      if (!(await confirmed(cli, `Disable ${plainText(found.name)}? Whatever uses its tokens stops working.`, options))) return;
      const { disablePrincipal: turned } = await api.request(disableAccount, { input: turnOf(found, options) });
      if (options.json === true) printJson(cli, turned);
      else print(cli, `Account ${turned.key} (${plainText(turned.name)}) is disabled.`);
    });
}

function enableCommand(cli: Cli): Command {
  return new Command("enable")
    .description("let an account in again, with the tokens that it had")
    .argument("<account>", "its number or its name, as `account list` shows them")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the account as JSON")
    .action(async (wanted: string, options: TurnOptions) => {
      const api = await cli.api();
      const { enablePrincipal: turned } = await api.request(enableAccount, { input: turnOf(await accountOf(api, wanted), options) });
      if (options.json === true) printJson(cli, turned);
      else print(cli, `Account ${turned.key} (${plainText(turned.name)}) is enabled.`);
    });
}

const turnOf = ({ key }: AccountAnswer, { reason }: Pick<TurnOptions, "reason">) => ({ key, ...(reason === undefined ? {} : { reason }) });

async function accountOf(api: GraphqlClient, wanted: string): Promise<AccountAnswer> {
  const { principal } = await api.request(readAccount, { key: wanted });
  if (principal === null) throw new CliError("refused", `There is no account "${plainText(wanted)}". List them: quiesce account list.`);
  return principal;
}
