import type { Output } from "../cli.js";
import { instantOf } from "../operations/shapes.js";
import type { SlotsAnswer } from "../operations/slot-operations.js";
import { formatUtcInstant } from "./format-time.js";
import { plainText } from "./plain-text.js";
import { count, localText } from "./list-text.js";
import { renderTable } from "./render-table.js";

/** The quietest slots with why the first one is the first. */
export function renderSlots(found: SlotsAnswer, options: { readonly timeZone: string; readonly output: Output }): readonly string[] {
  const { styles } = options.output;
  const looked = `${count(found.candidates, "possible start")}, ${found.taken} more taken by freezes and other windows; ${count(found.jobs, "job")} counted`;
  const [first] = found.slots;
  if (first === undefined) return [`No slot fits: ${looked}.`];
  return [
    styles.bold(`The quietest slots, in ${plainText(options.timeZone)}`),
    ...renderTable(
      [
        { title: "LOCAL START", value: (one) => localText(one.localStart) },
        { title: "LOCAL END", value: (one) => localText(one.localEnd) },
        { title: "UTC", value: (one) => `${formatUtcInstant(instantOf(one.startsAt))} to ${formatUtcInstant(instantOf(one.endsAt))}` },
        { title: "RUNS", value: (one) => String(one.runs), align: "right" },
        { title: "RECORDS", value: (one) => (one.records === null ? "unknown" : String(Math.round(one.records))), align: "right" },
        { title: "WEIGHS", value: (one) => String(Math.round(one.score)), align: "right" },
      ],
      found.slots,
      { width: options.output.columns(), styles },
    ),
    "",
    `The first: ${first.reasons.map(plainText).join("; ")}.`,
    styles.dim(`${looked}.`),
    ...(found.moreJobs ? [styles.yellow("It covers more jobs than were counted.")] : []),
  ];
}
