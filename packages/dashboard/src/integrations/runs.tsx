import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useNow, useTimes } from "../app/times.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Dots } from "./dots.js";
import { holdsOf, type ShownIntegration } from "./explain-sentence.js";
import { type RunRange, runRanges } from "./routes.js";
import { RunPanel } from "./run-panel.js";
import { IntegrationBandsDocument, IntegrationRunsDocument } from "./runs.generated.js";
import { Timeline } from "./timeline.js";
import { drawnRange } from "./timeline-shapes.js";
import styles from "./timeline.module.css";

const MINUTE_MS = 60_000;
const lengthsMs: { readonly [range in RunRange]: number } = {
  "15min": 15 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
  "6h": 360 * MINUTE_MS,
  "24h": 1_440 * MINUTE_MS,
  "7d": 7 * 1_440 * MINUTE_MS,
};
/** The part of the drawing that lies ahead. */
const AHEAD = 0.12;
const MOST_RUNS = 200;
/** So many times a range is asked for anew while its time passes. */
const STEPS = 60;
const LEAST_REDRAW_MS = 1_000;

/** The runs of the last hours, single ones: a lane a job, what held them behind; the chosen one beside. */
export function Runs({ integration }: { readonly integration: ShownIntegration }) {
  const { range: chosenRange, run: chosen = null } = useSearch({ from: "/integrations/$key" });
  const navigate = useNavigate({ from: "/integrations/$key" });
  const times = useTimes();
  const range = chosenRange ?? usualRange(integration);
  const lengthMs = lengthsMs[range];
  const now = useNow(Math.max(LEAST_REDRAW_MS, lengthMs / 1_000));
  const stepMs = lengthMs / STEPS;
  const step = Math.floor(now / stepMs) * stepMs;
  const variables = useMemo(
    () => ({
      integration: integration.key,
      from: new Date(step - lengthMs).toISOString(),
      to: new Date(step + stepMs + lengthMs * AHEAD).toISOString(),
      first: MOST_RUNS,
    }),
    [integration.key, step, stepMs, lengthMs],
  );
  const runs = useLiveQuery(IntegrationRunsDocument, variables, { kinds: ["run.*"] });
  const bands = useLiveQuery(IntegrationBandsDocument, { integration: integration.key }, { kinds: ["hold.*", "window.*"] });
  const choose = (key: string | null) => void navigate({ search: (before) => ({ ...before, run: key ?? undefined }), replace: true });
  const page = runs.data?.runs;
  return (
    <section aria-labelledby="runs-title">
      <div className={styles["head"]}>
        <h2 id="runs-title">
          <FormattedMessage id="integrations.runs" />
        </h2>
        <span className={styles["head-zone"]}>
          <FormattedMessage id="integrations.runs.zone" values={{ zone: times.ownZone }} />
        </span>
        <Ranges chosen={range} />
      </div>
      {runs.refusal === null ? null : <ErrorState refusal={runs.refusal} onAgain={runs.again} />}
      {page === undefined ? (
        runs.refusal === null && <Loading />
      ) : (
        <div className={chosen === null ? undefined : styles["with-panel"]}>
          <Drawn
            integration={integration}
            runs={page.nodes}
            bands={bands.data?.holds.nodes ?? []}
            isCut={page.pageInfo.hasNextPage}
            asked={{ from: now - lengthMs, to: now + lengthMs * AHEAD }}
            now={now}
            chosen={chosen}
            onChoose={choose}
          />
          {chosen === null ? null : <RunPanel runKey={chosen} onClose={() => choose(null)} />}
        </div>
      )}
    </section>
  );
}

type Drawing = Parameters<typeof Timeline>[0];

function Drawn({ asked, isCut, ...rest }: Omit<Drawing, "range"> & { readonly asked: Drawing["range"]; readonly isCut: boolean }) {
  const times = useTimes();
  const { runs } = rest;
  const range = drawnRange(asked, runs, isCut);
  return (
    <div>
      <Timeline {...rest} range={range} />
      {isCut ? (
        <p className="quiet">
          <FormattedMessage id="integrations.runs.cut" values={{ count: runs.length, at: times.clockWithSeconds(range.from) }} />
        </p>
      ) : null}
      {runs.length === 0 ? (
        <Empty>
          <FormattedMessage id="integrations.runs.none" />
        </Empty>
      ) : (
        <Dots runs={runs} range={range} chosen={rest.chosen} onChoose={rest.onChoose} />
      )}
    </div>
  );
}

function Ranges({ chosen }: { readonly chosen: RunRange }) {
  const { formatMessage } = useIntl();
  return (
    <nav className={styles["ranges"]} aria-label={formatMessage({ id: "integrations.range" })}>
      {runRanges.map((range) => (
        <Link
          key={range}
          from="/integrations/$key"
          to="."
          search={(before) => ({ ...before, range })}
          replace
          className={styles["range"]}
          aria-current={range === chosen ? "true" : undefined}
        >
          <FormattedMessage id={`integrations.range.${range}`} />
        </Link>
      ))}
    </nav>
  );
}

/** A job that runs every few seconds has nothing to show in an hour. */
const OFTEN_SECONDS = 60;

function runsOften({ schedule }: ShownIntegration["jobs"][number]): boolean {
  if (typeof schedule !== "object" || schedule === null || !("everySeconds" in schedule)) return false;
  return typeof schedule.everySeconds === "number" && schedule.everySeconds <= OFTEN_SECONDS;
}

/** An hour, less where a job runs often, or what reaches back to where the present hold began. */
function usualRange(integration: ShownIntegration): RunRange {
  const since = Math.min(...holdsOf(integration).map((hold) => Date.parse(hold.since)));
  const agoMs = Number.isFinite(since) ? Date.now() - since : 0;
  const least = lengthsMs[integration.jobs.some(runsOften) ? "15min" : "1h"];
  return runRanges.find((range) => lengthsMs[range] >= Math.max(least, agoMs)) ?? "7d";
}
