import { FormattedMessage, useIntl } from "react-intl";
import { useMemo } from "react";
import { useLiveQuery } from "../app/live.js";
import { useNow, useTimes } from "../app/times.js";
import { StatusGlyph, type StatusTone } from "../components/status.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { type Bar, barsOf, HOUR_MS, lanesOf, type LaneOccurrence } from "./lane-bars.js";
import { LanesDocument } from "./now.generated.js";
import styles from "./lanes.module.css";

const BEHIND_MS = 2 * HOUR_MS;
const AHEAD_MS = 10 * HOUR_MS;
/** Occurrences that began before are looked for so far back: a window of two days that is open should be drawn. */
const LOOK_BACK_MS = 48 * HOUR_MS;
const STEP_MS = 5 * 60_000;
const REDRAW_MS = 15_000;

/** The windows around now, one lane each: drain hatched, open solid, resume striped. On a phone a list with times. */
export function Lanes() {
  const now = useNow(REDRAW_MS);
  // Asked in steps, so that the cache can answer.
  const step = Math.floor(now / STEP_MS) * STEP_MS;
  const variables = useMemo(
    () => ({ from: new Date(step - BEHIND_MS - LOOK_BACK_MS).toISOString(), to: new Date(step + AHEAD_MS + STEP_MS).toISOString() }),
    [step],
  );
  const { data, refusal, again } = useLiveQuery(LanesDocument, variables, { kinds: ["window.*", "catalogue.applied"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const range = { from: now - BEHIND_MS, to: now + AHEAD_MS };
  const lanes = lanesOf(data.occurrences.nodes, range);
  if (lanes.length === 0)
    return (
      <Empty>
        <FormattedMessage id="now.lanes.none" />
      </Empty>
    );
  return (
    <>
      <div className={styles["lanes"]}>
        <Hours range={range} now={now} />
        <ul className={styles["list"]}>
          {lanes.map(({ window, occurrences }) => (
            <li key={window.id} className={styles["lane"]}>
              <span className={styles["title"]}>
                <StatusGlyph tone={toneOf(occurrences)} /> <a href={`/windows/${encodeURIComponent(window.key)}`}>{window.title}</a>
              </span>
              <span className={styles["track"]}>
                {occurrences.map((occurrence) => (
                  <Occurrence key={occurrence.id} occurrence={occurrence} range={range} now={now} />
                ))}
              </span>
            </li>
          ))}
        </ul>
      </div>
      {data.occurrences.pageInfo.hasNextPage ? (
        <p className="quiet">
          <FormattedMessage id="now.lanes.more" />
        </p>
      ) : null}
    </>
  );
}

const tones: { readonly [state in LaneOccurrence["state"]]?: StatusTone } = {
  DRAINING: "held",
  VERIFYING: "held",
  QUIESCED: "quiesced",
  OVERRUN: "failing",
  RESUMING: "resuming",
};

/** Of what is under way; what is planned or over has none. */
function toneOf(occurrences: readonly LaneOccurrence[]): StatusTone {
  return occurrences.flatMap(({ state }) => tones[state] ?? [])[0] ?? "quiet";
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function Occurrence({ occurrence, range, now }: { readonly occurrence: LaneOccurrence; readonly range: Range; readonly now: number }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { startsAt, endsAt, timeZone, state, window } = occurrence;
  const stateWord = formatMessage({ id: `now.state.${state}` });
  const [start, end] = [times.instant(startsAt, timeZone), times.instant(endsAt, timeZone)];
  return (
    <>
      <span className={styles["words"]}>
        <span className={styles["times"]}>
          {start}–{times.end(startsAt, endsAt, timeZone)} <span className="zone">{timeZone}</span>
        </span>{" "}
        <span className={styles[`word-${state}`]}>{stateWord}</span>
      </span>
      {barsOf(occurrence, { range, now }).map((bar: Bar) => (
        <span
          key={bar.kind}
          className={`${styles["bar"]} ${styles[`bar-${bar.kind}`]}`}
          style={{ left: `${bar.left}%`, width: `${bar.width}%` }}
          title={formatMessage({ id: "now.lane" }, { title: window.title, state: stateWord, start, end })}
        />
      ))}
    </>
  );
}

/** The hours above the lanes, and where now is. Its times are the reader's own. */
function Hours({ range, now }: { readonly range: Range; readonly now: number }) {
  const times = useTimes();
  const share = (at: number) => ((at - range.from) / (range.to - range.from)) * 100;
  const first = Math.ceil(range.from / (2 * HOUR_MS)) * 2 * HOUR_MS;
  const hours = Array.from({ length: 6 }, (_, index) => first + index * 2 * HOUR_MS).filter((at) => at < range.to - HOUR_MS / 2);
  return (
    <div className={styles["hours"]} aria-hidden="true">
      <span className="zone">{times.ownZone}</span>
      <span className={styles["scale"]}>
        {hours
          .filter((at) => Math.abs(at - now) > HOUR_MS * 0.6)
          .map((at) => (
            <span key={at} className={styles["hour"]} style={{ left: `${share(at)}%` }}>
              {times.clock(at)}
            </span>
          ))}
        <span className={styles["now"]} style={{ left: `${share(now)}%` }}>
          <FormattedMessage id="now.lanes.now" />
        </span>
      </span>
    </div>
  );
}
