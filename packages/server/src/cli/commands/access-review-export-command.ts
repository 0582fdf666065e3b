import { Command } from "commander";
import { readFile, stat, writeFile } from "node:fs/promises";
import { z } from "zod";
import { sha256 } from "../../audit/sha256.js";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { listItemEvidence, readReviewEvidence } from "../operations/access-review-operations.js";
import { plainText } from "../output/plain-text.js";
import { readPages } from "../read-pages.js";

const MOST_ITEMS = 10_000;
const MAX_FILE_BYTES = 268_435_456;

const evidenceFile = z.object({
  quiesceAccessReview: z.literal(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  auditEntry: z.object({ key: z.string(), position: z.number().nullable() }).nullable(),
  review: z.looseObject({ review: z.number(), title: z.string(), items: z.number() }),
  items: z.array(z.unknown()).max(MOST_ITEMS),
});

/** `quiesce access-review export`: a closed review as a file that can be checked without the server. */
export function exportReviewCommand(cli: Cli): Command {
  return new Command("export")
    .description("write the evidence of a closed review as JSON: what was seen, decided and done, with the hash that the audit trail has")
    .argument("<review>", "its number, as `access-review list` shows it")
    .option("-o, --output <file>", "write to this file instead of standard output")
    .action(async (key: string, { output }: { readonly output?: string }) => {
      const api = await cli.api();
      const { accessReview: found } = await api.request(readReviewEvidence, { key });
      if (found === null) throw noReview(key);
      if (found.hash === null)
        throw new CliError(
          "refused",
          `Review ${plainText(key)} is open: there is evidence when it is closed. Look at it: quiesce access-review show ${plainText(key)} --json`,
        );
      const items = await readPages(MOST_ITEMS, async (page) => {
        const { accessReview: piece } = await api.request(listItemEvidence, { key, ...page });
        return piece?.items ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
      });
      const file = {
        quiesceAccessReview: 1,
        hash: found.hash,
        auditEntry: found.closedEntry,
        review: found.evidence,
        items: items.map(({ evidence }) => evidence),
      };
      if (output === undefined) {
        printJson(cli, file);
        return;
      }
      // Names of people stand in it.
      await writeFile(output, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 }).catch((error: unknown) => {
        throw new CliError("refused", `${output} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, {
          cause: error,
        });
      });
      note(cli, `Review ${plainText(key)} with ${items.length} items is written to ${output}.`);
    });
}

/** As the server would refuse it. */
export function noReview(key: string): CliError {
  return new CliError("refused", `There is no access review "${plainText(key)}". List them: quiesce access-review list.`, {
    code: "QSC_REVIEW_NOT_FOUND",
  });
}

/** `quiesce access-review verify`: makes the hash of an export anew, on this machine. */
export function verifyReviewCommand(cli: Cli): Command {
  return new Command("verify")
    .description("check that nothing of an exported review was changed, without a server; exit code 1 when something was")
    .argument("<file>", "what `access-review export` wrote")
    .option(
      "--hash <sha256>",
      "the hash as noted from the audit trail; without it the file is compared with the hash that it carries itself",
    )
    .option("--json", "print what was found as JSON")
    .action(async (name: string, options: { readonly hash?: string; readonly json?: boolean }) => {
      const noted = options.hash?.toLowerCase();
      if (noted !== undefined && !/^[0-9a-f]{64}$/.test(noted))
        throw new CliError("usage", "--hash is no SHA-256: expected 64 hex digits.");
      const file = await readEvidence(name);
      const { reviewHash } = await import("@quiesce/core");
      const made = reviewHash(file, sha256);
      const isWhole = made === file.hash && (noted === undefined || noted === made);
      const { key, position } = file.auditEntry ?? { key: "", position: null };
      if (options.json === true)
        printJson(cli, { whole: isWhole, hash: made, expected: noted ?? file.hash, review: file.review, auditEntry: file.auditEntry });
      else if (isWhole) {
        print(
          cli,
          `The evidence of review ${file.review.review} ("${plainText(file.review.title)}") is whole: ${file.items.length} items, SHA-256 ${made}.`,
        );
        if (noted === undefined)
          note(
            cli,
            `The file carries this hash itself. Compare it with entry ${plainText(key)} of the audit trail${position === null ? "" : `, at position ${position}`}: quiesce audit list --subject access-review:${file.review.review} --action access-review.close --json`,
          );
      } else print(cli, cli.out.styles.red(`The evidence was changed: its SHA-256 is ${made}, and ${noted ?? file.hash} was recorded.`));
      if (!isWhole) cli.exitCode = exitCodes.refused;
    });
}

async function readEvidence(name: string): Promise<z.infer<typeof evidenceFile>> {
  const text = await readText(name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError("usage", `${name} is no JSON. Expected what \`quiesce access-review export\` writes.`, { cause: error });
  }
  const parsed = evidenceFile.safeParse(value);
  if (!parsed.success)
    throw new CliError("usage", `${name} is no evidence of a review. Expected what \`quiesce access-review export\` writes.`);
  return parsed.data;
}

async function readText(name: string): Promise<string> {
  try {
    const { size } = await stat(name);
    if (size > MAX_FILE_BYTES)
      throw new CliError("refused", `${name} has ${size} bytes; evidence of a review has at most ${MAX_FILE_BYTES}.`);
    return await readFile(name, "utf8");
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError("refused", `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
}
