import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { enumOf, type GrantInput, grantOption } from "../grants.js";
import { closeAccessReview, decideAccess } from "../operations/access-review-operations.js";

interface DecideOptions {
  readonly decision: string;
  readonly grant: readonly GrantInput[];
  readonly reason: string;
  readonly json?: boolean;
}

export function decideCommand(cli: Cli): Command {
  return new Command("decide")
    .description("decide on items of an open review, all of them or none; it takes effect when the review is closed")
    .argument("<review>", "the review's number")
    .argument("<item...>", "numbers of items, as `access-review show` lists them")
    .addOption(
      new Option("--decision <decision>", "keep; narrow, to --grant or to what was suggested; revoke: end the token, disable the account")
        .choices(["keep", "narrow", "revoke"])
        .makeOptionMandatory(),
    )
    .option("--grant <grant>", "with narrow, what is left: viewer, operator@team:erp; again for more", grantOption, [])
    .requiredOption("-r, --reason <text>", "why; it is evidence")
    .option("--json", "print the review as JSON")
    .action(async (review: string, items: readonly string[], options: DecideOptions) => {
      if (options.grant.length > 0 && options.decision !== "narrow") throw new CliError("usage", "--grant goes with --decision narrow.");
      const grants = options.grant.length === 0 ? {} : { grants: options.grant };
      const input = { review, items, decision: enumOf(options.decision), ...grants, reason: options.reason };
      const { decideAccess: decided } = await (await cli.api()).request(decideAccess, { input });
      if (options.json === true) printJson(cli, decided);
      else
        print(
          cli,
          `Decided: ${options.decision}, for ${items.length} ${items.length === 1 ? "item" : "items"}. ${decided.undecidedCount} of ${decided.itemCount} are undecided.`,
        );
    });
}

interface CloseOptions {
  readonly undecided?: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function closeReviewCommand(cli: Cli): Command {
  return new Command("close")
    .description("carry out what was decided and close the review for good; closing again goes on where it was interrupted")
    .argument("<review>", "the review's number")
    .addOption(
      new Option("--undecided <decision>", "what becomes of items that nobody has decided on (default: they stand in the way)").choices([
        "keep",
        "revoke",
      ]),
    )
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("-y, --yes", "do not ask")
    .option("--json", "print the review as JSON")
    .action(async (key: string, options: CloseOptions) => {
      if (!(await confirmed(cli, "Close the review? Tokens and accounts that are revoked stop working.", options))) {
        note(cli, "Nothing was closed.");
        return;
      }
      const undecided = options.undecided === undefined ? {} : { undecided: enumOf(options.undecided) };
      const { closeAccessReview: closed } = await (
        await cli.api()
      ).request(closeAccessReview, { input: { key, ...undecided, reason: options.reason } });
      if (options.json === true) printJson(cli, closed);
      else
        print(
          cli,
          `Review ${closed.key} is closed. Evidence: SHA-256 ${closed.hash ?? ""}. Take it along: quiesce access-review export ${closed.key}`,
        );
    });
}
