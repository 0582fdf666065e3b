import { createHash } from "node:crypto";
import { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { notUnderstood, refusal, send } from "../graphql-client.js";
import { readDocument } from "./validate-command.js";

interface PushOptions {
  readonly file: string;
  readonly stream?: string;
  readonly json?: boolean;
}

// Half of what the server takes, as in core's inboxLimits; importing core only for that costs 0.15 s a command.
const RECORDS_OF_REQUEST = 500;
const BYTES_OF_REQUEST = 4 * 1_048_576;
const REQUEST_MS = 60_000;

const answerSchema = z.looseObject({
  accepted: z.number(),
  duplicates: z.number(),
  waitingRecords: z.number(),
  held: z.boolean(),
  heldUntil: z.string().nullable(),
});
const errorSchema = z.looseObject({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    field: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});
type Answer = z.infer<typeof answerSchema>;

/** `quiesce push`: hands records of a file in. */
export function pushCommand(cli: Cli): Command {
  return new Command("push")
    .description("hand records in for an integration that takes pushed work; the same file again within 72 hours changes nothing")
    .argument("<integration>", "the integration's key")
    .requiredOption(
      "-f, --file <file>",
      'records, one JSON object a line: {"key": "4711", "record": {…}}; or a JSON list; - reads standard input',
    )
    .option("--stream <name>", "the stream, where the integration takes more than one")
    .option("--json", "print what became of them as JSON")
    .action(async (integration: string, options: PushOptions) => {
      const text = await readDocument(cli, options.file);
      const records = namedRecords(readRecords(text, options.file), text);
      const total = await pushAll(cli, { integration, options, records });
      if (options.json === true) return printJson(cli, total);
      const { styles } = cli.out;
      const known = total.duplicates === 0 ? "" : `, ${total.duplicates} known already`;
      print(
        cli,
        `${styles.green(`Accepted ${total.accepted}`)}${known}. ${total.waitingRecords} wait for ${integration}${heldText(total)}.`,
      );
    });
}

function heldText({ held, heldUntil }: Answer): string {
  if (!held) return "";
  return heldUntil === null ? ", which is held until somebody lifts that" : `, which is held until ${heldUntil}`;
}

function readRecords(text: string, file: string): readonly unknown[] {
  if (text.trimStart().startsWith("[")) {
    const list = jsonOf(text, file);
    return Array.isArray(list) ? list : [list];
  }
  return text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [jsonOf(line, `${file}:${index + 1}`)]));
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CliError("usage", `${where} is not JSON. Expected one record a line, or one list of records.`);
  }
}

/** Records without an id are known by their place in this very file, so that a push that broke off can simply be repeated. */
function namedRecords(records: readonly unknown[], text: string): readonly unknown[] {
  const file = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return records.map((record, index) => {
    if (typeof record !== "object" || record === null || Array.isArray(record) || "id" in record) return record;
    return { ...record, id: `file ${file} ${index}` };
  });
}

async function pushAll(
  cli: Cli,
  push: { readonly integration: string; readonly options: PushOptions; readonly records: readonly unknown[] },
): Promise<Answer> {
  const { connection } = await cli.api();
  const stream = push.options.stream === undefined ? "" : `?stream=${encodeURIComponent(push.options.stream)}`;
  const path = `/push/${encodeURIComponent(push.integration)}${stream}`;
  let total: Answer | null = null;
  for (const body of requestsOf(push.records)) {
    const { status, json } = await send(connection, path, { body, timeoutMs: REQUEST_MS });
    const refused = errorSchema.safeParse(json);
    if (refused.success) {
      const { code, message, field, details } = refused.data.error;
      if (total !== null && total.accepted > 0)
        note(cli, `${total.accepted} records were accepted before this. Run the command again to go on from there: none is taken twice.`);
      throw refusal({ code, message, field, details, status, connection });
    }
    const answer = answerSchema.safeParse(json);
    if (!answer.success) throw notUnderstood(connection, answer.error);
    total = sumOf(total, answer.data);
  }
  if (total === null) throw new CliError("usage", `${push.options.file} holds no record.`);
  return total;
}

/** The counts of both, and what waits now. */
function sumOf(before: Answer | null, last: Answer): Answer {
  if (before === null) return last;
  return { ...last, accepted: before.accepted + last.accepted, duplicates: before.duplicates + last.duplicates };
}

/** The records in their order, in requests that the server takes. */
function requestsOf(records: readonly unknown[]): readonly (readonly unknown[])[] {
  const requests: unknown[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const bytes = Buffer.byteLength(JSON.stringify(record)) + 1;
    const last = requests.at(-1);
    if (last === undefined || last.length === RECORDS_OF_REQUEST || size + bytes > BYTES_OF_REQUEST) {
      requests.push([record]);
      size = bytes;
    } else {
      last.push(record);
      size += bytes;
    }
  }
  return requests;
}
