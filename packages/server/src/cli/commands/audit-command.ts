import { Command, InvalidArgumentError } from "commander";
import { appendFile } from "node:fs/promises";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { type AuditEntryAnswer, eraseAudit, listAudit, readAuditHead } from "../operations/audit-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant, terminalZone } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { parseDurationOption, parseInstantOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";
import { auditExportCommand } from "./audit-export-command.js";
import { auditVerifyCommand } from "./audit-verify-command.js";

const MOST_ENTRIES = 10_000;

/** `quiesce audit`: who did what to which thing, and that nobody changed it since. */
export function auditCommand(cli: Cli): Command {
  return new Command("audit")
    .description("read, check and take away the audit trail")
    .addCommand(listCommand(cli))
    .addCommand(auditVerifyCommand(cli))
    .addCommand(auditExportCommand(cli))
    .addCommand(headCommand(cli))
    .addCommand(eraseCommand(cli));
}

interface ListOptions {
  readonly subject?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly json?: boolean;
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list what was done, by whom and why, newest first")
    .option("-s, --subject <kind:key>", "done to this thing, as window:erp-patches; or to a kind of things, as hold")
    .option("--actor <kind:name>", "done by, as token:ada")
    .option("--action <name>", "of this kind, as window.create")
    .option("--since <time>", "since: a duration back from now (2h, 1d), or ISO 8601 with an offset")
    .option("--until <time>", "before: a duration back from now, or ISO 8601 with an offset")
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 50)
    .option("--json", "print the entries as JSON, with what was before and after")
    .action(async (options: ListOptions) => {
      const filter = filterOf(options, cli.clock.wallMs());
      const api = await cli.api();
      const entries = await readPages(options.limit, async (page) => (await api.request(listAudit, { ...page, filter })).audit);
      if (options.json === true) printJson(cli, entries);
      else if (entries.length === 0) note(cli, "No entry fits.");
      else {
        print(cli, ...entryLines(entries, cli));
        note(cli, cli.err.styles.dim(`Times in ${terminalZone()}.`));
      }
    });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ENTRIES)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_ENTRIES}.`);
  return limit;
}

function filterOf({ subject, actor, action, since, until }: ListOptions, now: number): object {
  const { kind, key } = subjectOf(subject);
  const from = since === undefined ? undefined : new Date(instantBack(since, "--since", now)).toISOString();
  const to = until === undefined ? undefined : new Date(instantBack(until, "--until", now)).toISOString();
  return JSON.parse(JSON.stringify({ subjectKind: kind, subjectKey: key, actor, action, from, to })) as object;
}

function subjectOf(text: string | undefined): { readonly kind: string | undefined; readonly key: string | undefined } {
  const colon = text?.indexOf(":") ?? -1;
  return colon === -1 ? { kind: text, key: undefined } : { kind: text?.slice(0, colon), key: text?.slice(colon + 1) };
}

function instantBack(text: string, option: string, now: number): number {
  return /^\d{4}-/.test(text) ? parseInstantOption(text, option, now) : now - parseDurationOption(text, option);
}

function entryLines(entries: readonly AuditEntryAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  return renderTable(
    [
      { title: "AT", value: (entry) => formatLocalInstant(instantOf(entry.at)) },
      { title: "ACTOR", value: (entry) => entry.actor },
      { title: "ACTION", value: (entry) => entry.action },
      { title: "SUBJECT", value: (entry) => `${entry.subjectKind}:${entry.subjectKey}`, flexible: true },
      { title: "REASON", value: (entry) => entry.reason ?? "", flexible: true },
      { title: "POSITION", value: (entry) => (entry.position === null ? "-" : String(entry.position)), align: "right" },
    ],
    entries,
    { width: cli.out.columns(), styles },
  );
}

function headCommand(cli: Cli): Command {
  return new Command("head")
    .description("print the signed end of the audit trail, one line of JSON: keep it where the database's owner cannot reach")
    .option("--append <file>", "append it to this file instead")
    .action(async ({ append }: { readonly append?: string }) => {
      const { auditHead } = await (await cli.api()).request(readAuditHead);
      if (auditHead === null) throw new CliError("refused", "Nothing is sealed yet. Is a server with the role dispatcher running?");
      const line = JSON.stringify(auditHead);
      if (append === undefined) {
        print(cli, line);
        return;
      }
      await appendFile(append, `${line}\n`).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new CliError("refused", `${append} cannot be written: ${why}.`, { cause: error });
      });
      note(cli, `The head of position ${auditHead.position} is appended to ${append}.`);
    });
}

interface EraseOptions {
  readonly actor?: string;
  readonly subject?: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

function eraseCommand(cli: Cli): Command {
  return new Command("erase")
    .description("take personal values out of the audit trail and out of incidents for good; what was done, and the chain, stay")
    .option("--actor <kind:name>", "a person's name wherever it stands, and the words of that person's entries, as token:ada")
    .option("-s, --subject <kind:key>", "every personal value of the entries about this thing, as window:erp-patches")
    .requiredOption("-r, --reason <text>", "why, such as the number of the request; stays on record, so name nobody")
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was erased as JSON")
    .action(async ({ actor, subject, reason, yes, json }: EraseOptions) => {
      const { kind, key } = subjectOf(subject);
      if ((actor === undefined) === (kind === undefined || key === undefined))
        throw new CliError("usage", "Expected either --actor kind:name or --subject kind:key.");
      const what = actor ?? subject ?? "";
      if (
        !(await confirmed(
          cli,
          `Erase the personal values of ${plainText(what)} from the audit trail and from incidents? They do not come back.`,
          { yes },
        ))
      ) {
        note(cli, "Nothing was erased.");
        return;
      }
      const input = { reason, ...(actor === undefined ? { subjectKind: kind, subjectKey: key } : { actor }) };
      const { eraseAuditPersonal: erased } = await (await cli.api()).request(eraseAudit, { input });
      if (json === true) printJson(cli, erased);
      else
        print(
          cli,
          [
            ...(erased.orders.length === 0
              ? []
              : [
                  `${erased.values} values in ${erased.entries} entries are erased, by order of entry ${erased.orders.map((one) => one.key).join(", ")}.`,
                ]),
            ...(erased.incidents === 0 ? [] : [`Names and words are erased in ${erased.incidents} incidents.`]),
          ].join("\n"),
        );
    });
}
