import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { enumOf, grantsText } from "../grants.js";
import {
  listAccessReviews,
  listReviewItems,
  openAccessReview,
  readAccessReview,
  type ReviewAnswer,
  type ReviewItemAnswer,
} from "../operations/access-review-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { parseInstantOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";
import { closeReviewCommand, decideCommand } from "./access-review-decide-command.js";
import { exportReviewCommand, noReview, verifyReviewCommand } from "./access-review-export-command.js";

const MOST_REVIEWS = 1_000;
const MOST_ITEMS = 10_000;
const SUBJECTS = ["person", "service", "token"] as const;

/** `quiesce access-review`: who may do what, who needs it, and what was decided. */
export function accessReviewCommand(cli: Cli): Command {
  return new Command("access-review")
    .description("review who may do what: open a review, decide on people, service accounts and tokens, close it, keep the evidence")
    .addCommand(openCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(decideCommand(cli))
    .addCommand(closeReviewCommand(cli))
    .addCommand(exportReviewCommand(cli))
    .addCommand(verifyReviewCommand(cli));
}

const again = (text: string, before: readonly string[]): readonly string[] => [...before, text];
/** NEVER_USED is never used. */
const words = (text: string): string => text.toLowerCase().replaceAll("_", " ");
const at = (text: string): string => formatLocalInstant(instantOf(text));

interface OpenOptions {
  readonly due: string;
  readonly subject: readonly string[];
  readonly reviewer: readonly string[];
  readonly unusedDays?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

function openCommand(cli: Cli): Command {
  return new Command("open")
    .description("open a review: everybody's access as it is now, with what is unused or more than needed")
    .argument("<title>", 'what it is for, as "Access, 4th quarter"')
    .requiredOption("--due <time>", "until when it should be closed: +14d, or ISO 8601 with an offset")
    .addOption(
      new Option("--subject <kind>", "only these: person, service, token; again for more")
        .choices(SUBJECTS)
        .argParser(again)
        .default([], "all"),
    )
    .option("--reviewer <account>", "who may decide, by name; again for more (default: whoever may change tokens)", again, [])
    .option("--unused-days <days>", "so long without use is unused (7 to 730; default: 90)")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the review as JSON")
    .action(async (title: string, options: OpenOptions) => {
      const wrong = options.subject.find((one) => !SUBJECTS.some((known) => known === one));
      if (wrong !== undefined) throw new CliError("usage", `--subject is "${plainText(wrong)}"; expected ${SUBJECTS.join(", ")}.`);
      const unusedDays = options.unusedDays === undefined ? {} : { unusedDays: daysOf(options.unusedDays) };
      const input = {
        title,
        dueAt: new Date(parseInstantOption(options.due, "--due", cli.clock.wallMs())).toISOString(),
        ...(options.subject.length === 0 ? {} : { subjects: options.subject.map(enumOf) }),
        ...(options.reviewer.length === 0 ? {} : { reviewers: options.reviewer }),
        ...unusedDays,
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      };
      const { openAccessReview: made } = await (await cli.api()).request(openAccessReview, { input });
      if (options.json === true) printJson(cli, made);
      else
        print(
          cli,
          `Review ${made.key} is open: ${made.itemCount} items, ${made.suggestedCount} with a suggestion. Look at them: quiesce access-review show ${made.key}`,
        );
    });
}

function daysOf(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new CliError("usage", `--unused-days is "${plainText(text)}"; expected a number of days.`);
  return Number(text);
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list reviews, newest first")
    .option("--open", "only those that are open")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly open?: boolean; readonly json?: boolean }) => {
      const api = await cli.api();
      const filter = options.open === true ? { open: true } : {};
      const found = await readPages(
        MOST_REVIEWS,
        async (page) => (await api.request(listAccessReviews, { ...page, ...filter })).accessReviews,
      );
      if (options.json === true) printJson(cli, found);
      else if (found.length === 0) note(cli, "There is no review.");
      else print(cli, ...reviewLines(found, cli));
    });
}

function stateOf(review: ReviewAnswer): string {
  if (review.closedAt !== null) return "closed";
  if (review.closingAt !== null) return "closing";
  return review.isOverdue ? "overdue" : "open";
}

function reviewLines(reviews: readonly ReviewAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  return renderTable(
    [
      { title: "REVIEW", value: (one) => one.key },
      { title: "TITLE", value: (one) => plainText(one.title), flexible: true },
      { title: "STATE", value: stateOf, style: (text, one) => (stateOf(one) === "overdue" ? styles.red(text) : text) },
      { title: "DUE", value: (one) => at(one.dueAt) },
      { title: "ITEMS", value: (one) => String(one.itemCount), align: "right" },
      { title: "UNDECIDED", value: (one) => String(one.undecidedCount), align: "right" },
      { title: "SUGGESTED", value: (one) => String(one.suggestedCount), align: "right" },
      { title: "REVIEWERS", value: (one) => one.reviewers.map(plainText).join(", ") || "admins", flexible: true },
    ],
    reviews,
    { width: cli.out.columns(), styles },
  );
}

interface ShowOptions {
  readonly undecided?: boolean;
  readonly suggested?: boolean;
  readonly subject?: string;
  readonly json?: boolean;
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show a review and its items: what each may do, when it was last used, what is suggested and decided")
    .argument("<review>", "its number, as `access-review list` shows it")
    .option("--undecided", "only items that nobody has decided on")
    .option("--suggested", "only items with a suggestion to narrow or revoke")
    .addOption(new Option("--subject <kind>", "only these").choices(SUBJECTS))
    .option("--json", "print the review with its items as JSON")
    .action(async (key: string, options: ShowOptions) => {
      const api = await cli.api();
      const { accessReview: review } = await api.request(readAccessReview, { key });
      if (review === null) throw noReview(key);
      const filter = {
        ...(options.undecided === true ? { decided: false } : {}),
        ...(options.suggested === true ? { suggested: true } : {}),
        ...(options.subject === undefined ? {} : { subject: enumOf(options.subject) }),
      };
      const items = await readPages(MOST_ITEMS, async (page) => {
        const { accessReview: found } = await api.request(listReviewItems, { key, filter, ...page });
        if (found === null) throw noReview(key);
        return found.items;
      });
      if (options.json === true) {
        printJson(cli, { ...review, items });
        return;
      }
      const until =
        review.closedAt === null ? `due ${at(review.dueAt)}` : `closed ${at(review.closedAt)} by ${plainText(review.closedBy ?? "")}`;
      print(
        cli,
        `${plainText(review.title)}: ${stateOf(review)}, ${until}. ${review.undecidedCount} of ${review.itemCount} items are undecided.`,
      );
      if (review.hash !== null) print(cli, `Evidence: SHA-256 ${review.hash}`);
      if (items.length === 0) note(cli, "No item fits.");
      else print(cli, "", ...itemLines(items, cli));
    });
}

function itemLines(items: readonly ReviewItemAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  return renderTable(
    [
      { title: "ITEM", value: (one) => one.key },
      { title: "KIND", value: (one) => words(one.subject) },
      { title: "WHO", value: (one) => whoOf(one), flexible: true },
      { title: "MAY", value: (one) => grantsText(one.grants) || "-", flexible: true },
      { title: "LAST USED", value: (one) => (one.lastUsedAt === null ? "never" : at(one.lastUsedAt)) },
      { title: "SAID OF IT", value: (one) => one.suggestions.map(suggestionText).join(" "), flexible: true },
      {
        title: "DECISION",
        value: (one) => (one.decision === null ? "" : decisionText(one)),
        style: (text, one) => (one.decision === "KEEP" ? styles.green(text) : text),
        flexible: true,
      },
    ],
    items,
    { width: cli.out.columns(), styles },
  );
}

/** A token by its name and number, of its account where that has another name. */
function whoOf({ account, token, tokenKey }: ReviewItemAnswer): string {
  if (token === null) return plainText(account);
  return `${plainText(token)} (token ${tokenKey ?? ""}${token === account ? "" : ` of ${plainText(account)}`})`;
}

function suggestionText({ decision, reason, grants }: ReviewItemAnswer["suggestions"][number]): string {
  if (decision === null) return plainText(reason);
  return `${words(decision)}${grants === null ? "" : ` to ${grantsText(grants)}`}: ${plainText(reason)}`;
}

function decisionText({ decision, left, decidedBy, outcome }: ReviewItemAnswer): string {
  const to = left === null ? "" : ` to ${grantsText(left)}`;
  return `${words(decision ?? "")}${to} (${plainText(decidedBy ?? "")})${outcome === null ? "" : `, ${words(outcome)}`}`;
}
