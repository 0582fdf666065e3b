import { type IntlShape, useIntl } from "react-intl";
import { type Times, useNow, useTimes } from "../app/times.js";
import type { Numbers, Summary } from "./summary.js";

/** How long the next window is away changes by the minute. */
const MINUTE_MS = 60_000;

export function useNowSentence(summary: Summary, numbers: Numbers): string {
  const intl = useIntl();
  const times = useTimes();
  const now = useNow(MINUTE_MS);
  return nowSentence(summary, { numbers, intl, times, now });
}

/** "2 windows are open. 1,026 integrations are held, work may begin on 3 systems, 248 are failing." */
export function nowSentence(
  { nextOccurrence }: Pick<Summary, "nextOccurrence">,
  input: { readonly numbers: Numbers; readonly intl: Pick<IntlShape, "formatMessage">; readonly times: Times; readonly now: number },
): string {
  const { numbers, intl, times, now } = input;
  const { openWindows, held, readySystems, resuming, failing } = numbers;
  const counted = (id: "now.open" | "now.held" | "now.ready" | "now.resuming" | "now.failing", count: number) =>
    intl.formatMessage({ id }, { count });
  if (openWindows === 0 && held === 0 && resuming === 0 && failing === 0) {
    if (nextOccurrence === null) return intl.formatMessage({ id: "now.nothing" });
    const { window, startsAt, endsAt, timeZone } = nextOccurrence;
    return intl.formatMessage(
      { id: "now.nothing-next" },
      {
        title: window.title,
        start: times.instant(startsAt, timeZone),
        end: times.end(startsAt, endsAt, timeZone),
        zone: timeZone,
        length: times.length(Math.max(0, Date.parse(startsAt) - now)),
      },
    );
  }
  const rest = [
    counted("now.held", held),
    ...(readySystems === 0 ? [] : [counted("now.ready", readySystems)]),
    ...(resuming === 0 ? [] : [counted("now.resuming", resuming)]),
    ...(failing === 0 ? [] : [counted("now.failing", failing)]),
  ].join(", ");
  return intl.formatMessage({ id: "now.sentence" }, { open: counted("now.open", openWindows), rest });
}
