import { useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { lengthOf } from "./timeline.js";
import { type DrawnRun, type Range, share } from "./timeline-shapes.js";
import styles from "./timeline.module.css";

const failedStates: readonly string[] = ["FAILED", "DEAD", "LOST"];

/** How long each run took: one dot a run, its start across, its length up. In words: the usual one and the longest. */
export function Dots({
  runs,
  range,
  chosen,
  onChoose,
}: {
  readonly runs: readonly DrawnRun[];
  readonly range: Range;
  readonly chosen: string | null;
  readonly onChoose: (key: string) => void;
}) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const dots = runs.flatMap(({ key, state, startedAt, durationMs }) =>
    startedAt === null || durationMs === null ? [] : [{ key, state, at: Date.parse(startedAt), ms: durationMs }],
  );
  if (dots.length === 0) return null;
  const lengths = dots.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const longest = lengths.at(-1) ?? 0;
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  const words = formatMessage(
    { id: "integrations.dots" },
    { count: dots.length, median: lengthOf(median, times), longest: lengthOf(longest, times) },
  );
  return (
    <figure className={styles["dots"]}>
      <figcaption>{words}</figcaption>
      <div className={styles["dots-plot"]} aria-hidden="true">
        <span className={styles["dots-top"]}>{lengthOf(longest, times)}</span>
        <span className={styles["dots-field"]}>
          {dots.map(({ key, state, at, ms }) => (
            <span
              key={key}
              className={`${styles["dot"]} ${failedStates.includes(state) ? styles["dot-failed"] : ""} ${key === chosen ? styles["dot-chosen"] : ""}`}
              style={{ left: `${share(at, range)}%`, bottom: `${longest === 0 ? 0 : (ms / longest) * 100}%` }}
              onClick={() => onChoose(key)}
            />
          ))}
        </span>
      </div>
    </figure>
  );
}
