import type { IntlShape } from "react-intl";
import type { WindowLedgerQuery } from "./report.generated.js";

type LedgerEntry = WindowLedgerQuery["ledger"]["nodes"][number];
export type Ending = Pick<LedgerEntry, "dueAt" | "facts"> & {
  readonly heldBy: readonly Pick<LedgerEntry["heldBy"][number], "kind" | "title">[];
};

interface Speaking {
  readonly intl: Pick<IntlShape, "formatMessage" | "formatList">;
  /** Writes an instant as the rest of the table does. */
  readonly at: (instant: string) => string;
  readonly length: (ms: number) => string;
}

/** In these states every due time of a range ended for itself. */
const endsEach: ReadonlySet<string> = new Set(["SKIPPED", "COALESCED", "CANCELLED"]);
const queuedReasons = ["clock-stepped", "endpoint-away", "endpoint-rate-limited", "hold-integration", "lease-lost", "retry"] as const;
const skippedReasons = ["catch-up-max-age", "catch-up-skip"] as const;

/** Why a due time ended as it did, or where it is, in the language of the page: what held it, which run it stands in, what became of that. */
export function endingSentence(entry: Ending, speaking: Speaking): string {
  const { facts, dueAt } = entry;
  const { intl, at } = speaking;
  const sentences: string[] = [];
  if (facts.heldSince !== null && facts.runState !== "HELD") {
    const until = facts.releasedAt === null ? "none" : at(facts.releasedAt);
    sentences.push(intl.formatMessage({ id: "windows.ending.held" }, { names: namesOf(entry, intl), since: at(facts.heldSince), until }));
  }
  if (dueAt !== facts.runDueAt && !endsEach.has(facts.runState))
    sentences.push(intl.formatMessage({ id: "windows.ending.joined" }, { due: at(facts.runDueAt) }));
  sentences.push(ownSentence(entry, speaking));
  return sentences.join(" ");
}

function ownSentence(entry: Ending, { intl, at, length }: Speaking): string {
  const { runState, runDueAt, attempt, reason, error, startedAt, finishedAt, heldSince, readyAt, standInDueAt } = entry.facts;
  const end = at(finishedAt ?? runDueAt);
  const words = { attempt, error: withoutEnd(error), ready: at(readyAt), at: end };
  switch (runState) {
    case "QUEUED": {
      const known = queuedReasons.find((one) => one === reason);
      return intl.formatMessage({ id: known === undefined ? "windows.ending.QUEUED" : `windows.ending.QUEUED.${known}` }, words);
    }
    case "SKIPPED": {
      const known = skippedReasons.find((one) => one === reason);
      return intl.formatMessage({ id: known === undefined ? "windows.ending.SKIPPED" : `windows.ending.SKIPPED.${known}` });
    }
    case "CANCELLED":
      return reason === "deleted"
        ? intl.formatMessage({ id: "windows.ending.CANCELLED.deleted" })
        : intl.formatMessage({ id: "windows.ending.CANCELLED" }, { reason: withoutEnd(reason) });
    case "COALESCED":
      return intl.formatMessage({ id: "windows.ending.COALESCED" }, { due: standInDueAt === null ? "none" : at(standInDueAt) });
    case "HELD":
      return intl.formatMessage({ id: "windows.ending.HELD" }, { names: namesOf(entry, intl), since: at(heldSince ?? runDueAt) });
    case "SUCCEEDED":
    case "RUNNING": {
      const started = startedAt ?? runDueAt;
      const lengthMs = Math.max(0, Date.parse(finishedAt ?? started) - Date.parse(started));
      return intl.formatMessage({ id: `windows.ending.${runState}` }, { attempt, started: at(started), length: length(lengthMs) });
    }
    case "FAILED":
    case "DEAD":
    case "LOST":
      return intl.formatMessage({ id: `windows.ending.${runState}` }, words);
  }
}

/** What held it: windows by their title, other holds by their kind. */
function namesOf({ heldBy }: Ending, intl: Speaking["intl"]): string {
  if (heldBy.length === 0) return intl.formatMessage({ id: "windows.ending.hold.none" });
  return intl.formatList(
    heldBy.map(({ kind, title }) => (kind === "WINDOW" ? title : intl.formatMessage({ id: `windows.ending.hold.${kind}` }))),
  );
}

function withoutEnd(words: string | null): string {
  return words === null || words === "" ? "none" : words.replace(/[.\s]+$/, "");
}
