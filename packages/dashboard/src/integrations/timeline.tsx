import { type KeyboardEvent, useId } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { type Times, useTimes } from "../app/times.js";
import type { ShownIntegration } from "./explain-sentence.js";
import { type Band, bandsOf, type DrawnRun, lanesOf, type Range, scaleOf, shapesOf, share } from "./timeline-shapes.js";
import styles from "./timeline.module.css";

const CLOSE_MS = 30 * 60_000;
const DAY_MS = 86_400_000;
const LANES = 20;

interface Chosen {
  readonly chosen: string | null;
  readonly onChoose: (key: string) => void;
}

/** One lane a job: ran is solid, failed is outlined with a cross, held has a tick where it was due and a line to where it ran, the next one is dashed. */
export function Timeline({
  integration,
  runs,
  bands,
  range,
  now,
  ...chosen
}: Chosen & {
  readonly integration: ShownIntegration;
  readonly runs: readonly DrawnRun[];
  readonly bands: readonly Band[];
  readonly range: Range;
  readonly now: number;
}) {
  const starts = new Map(runs.flatMap(({ key, startedAt }) => (startedAt === null ? [] : [[key, Date.parse(startedAt)]])));
  const lanes = lanesOf(
    runs,
    integration.jobs.map(({ key }) => key),
  );
  const drawn = bandsOf(bands, range);
  return (
    <>
      <div className={styles["timeline"]}>
        <Scale range={range} now={now} />
        <div className={styles["behind"]} aria-hidden="true">
          <span className={styles["field"]}>
            {drawn.map(({ band, left, width }) => (
              <span key={band.id} className={styles["band"]} style={{ left: `${left}%`, width: `${width}%` }} title={band.title} />
            ))}
            <span className={styles["now"]} style={{ left: `${share(now, range)}%` }} />
          </span>
        </div>
        {lanes.slice(0, LANES).map(({ job, runs: ofJob }) => (
          <Lane
            key={job ?? ""}
            job={integration.jobs.find(({ key }) => key === job) ?? null}
            runs={ofJob}
            range={range}
            now={now}
            startOf={(key) => starts.get(key) ?? null}
            {...chosen}
          />
        ))}
      </div>
      <Legend bands={drawn.map(({ band }) => band)} />
    </>
  );
}

function Scale({ range, now }: { readonly range: Range; readonly now: number }) {
  const times = useTimes();
  const isFine = range.to - range.from < CLOSE_MS;
  const room = matchMedia("(max-width: 48rem)").matches ? 16 : 5;
  const marks = scaleOf(range).filter((at) => Math.abs(share(at, range) - share(now, range)) > room);
  const text = (at: number) => {
    if (range.to - range.from > DAY_MS * 1.5) return times.instant(at).replace(/ \d\d:\d\d$/, "");
    return isFine && at % 60_000 !== 0 ? times.clockWithSeconds(at) : times.clock(at);
  };
  return (
    <div className={styles["scale"]} aria-hidden="true">
      <span className={styles["field"]}>
        {marks.map((at) => (
          <span key={at} className={styles["mark"]} style={{ left: `${share(at, range)}%` }}>
            {text(at)}
          </span>
        ))}
        <span className={`${styles["mark"]} ${styles["mark-now"]}`} style={{ left: `${share(now, range)}%` }}>
          <FormattedMessage id="integrations.runs.now" />
        </span>
      </span>
    </div>
  );
}

function Lane({
  job,
  runs,
  range,
  now,
  startOf,
  chosen,
  onChoose,
}: Chosen & {
  readonly job: ShownIntegration["jobs"][number] | null;
  readonly runs: readonly DrawnRun[];
  readonly range: Range;
  readonly now: number;
  readonly startOf: (key: string) => number | null;
}) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const id = useId();
  const name = job?.key ?? formatMessage({ id: "integrations.runs.elsewhere" });
  const place = runs.findIndex(({ key }) => key === chosen);
  const walk = (event: KeyboardEvent) => {
    const to = { ArrowLeft: place < 0 ? runs.length - 1 : place - 1, ArrowRight: place + 1, Home: 0, End: runs.length - 1 }[event.key];
    const run = to === undefined ? undefined : runs[to];
    if (run === undefined) return;
    event.preventDefault();
    onChoose(run.key);
  };
  return (
    <div className={styles["lane"]}>
      <span className={styles["lane-name"]}>{name}</span>
      {runs.length === 0 ? (
        <span className={styles["field"]}>
          <Next job={job} range={range} />
        </span>
      ) : (
        <div
          role="listbox"
          tabIndex={0}
          className={`${styles["field"]} ${styles["runs"]}`}
          aria-label={formatMessage({ id: "integrations.runs.of" }, { job: name, count: runs.length })}
          aria-activedescendant={place < 0 ? undefined : `${id}-${place}`}
          onKeyDown={walk}
        >
          {runs.map((run, index) => (
            <div
              key={run.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === place}
              aria-label={formatMessage({ id: "integrations.runs.one" }, valuesOf(run, times))}
              className={`${styles["run"]} ${index === place ? styles["run-chosen"] : ""}`}
              onClick={() => onChoose(run.key)}
            >
              {shapesOf(run, { range, now, startOf }).map(({ kind, left, width }, piece) => (
                <span
                  // Two ticks of one run differ in their place alone.
                  key={`${kind} ${piece}`}
                  className={`${styles["shape"]} ${styles[`shape-${kind}`]}`}
                  style={{ left: `${left}%`, width: `${width}%` }}
                />
              ))}
            </div>
          ))}
          <Next job={job} range={range} />
        </div>
      )}
    </div>
  );
}

function Next({ job, range }: { readonly job: ShownIntegration["jobs"][number] | null; readonly range: Range }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  if (job === null || job.nextDueAt === null || !job.enabled) return null;
  const at = Date.parse(job.nextDueAt);
  if (at < range.from || at > range.to) return null;
  const left = share(at, range);
  const width = Math.min(100 - left, ((job.p95Ms ?? 0) / (range.to - range.from)) * 100);
  return (
    <span
      aria-hidden="true"
      className={`${styles["shape"]} ${styles["shape-next"]}`}
      style={{ left: `${left}%`, width: `${width}%` }}
      title={formatMessage({ id: "integrations.job.next" }, { at: times.clockWithSeconds(at) })}
    />
  );
}

/** What a run is called: when it was due, how it ended, how long it took. */
export function valuesOf(run: DrawnRun, times: Times) {
  const { dueAt, state, durationMs, dueCount } = run;
  return { at: times.clockWithSeconds(dueAt), state, length: durationMs === null ? "none" : lengthOf(durationMs, times), count: dueCount };
}

/** 340 ms; from a second on as everywhere. */
export function lengthOf(ms: number, times: Times): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : times.length(ms);
}

const legend = ["ran", "failed", "tick", "bracket", "next"] as const;

function Legend({ bands }: { readonly bands: readonly Band[] }) {
  const times = useTimes();
  const { formatMessage } = useIntl();
  return (
    <ul className={styles["legend"]} aria-label={formatMessage({ id: "integrations.legend" })}>
      {bands.map(({ id, kind, title, beginsAt, releasedAt, expiresAt }) => {
        const end = releasedAt ?? expiresAt;
        return (
          <li key={id}>
            <span className={styles["legend-band"]} aria-hidden="true" />
            {kind === "WINDOW" ? title : formatMessage({ id: `integrations.hold.${kind}` })} {times.instant(beginsAt)}–
            {end === null ? "" : times.instant(end)}
          </li>
        );
      })}
      {legend.map((kind) => (
        <li key={kind}>
          <span className={styles["legend-place"]} aria-hidden="true">
            <span className={`${styles["shape"]} ${styles[`shape-${kind}`]}`} style={{ left: "10%", width: kind === "tick" ? 0 : "80%" }} />
          </span>
          <FormattedMessage id={`integrations.legend.${kind}`} />
        </li>
      ))}
    </ul>
  );
}
