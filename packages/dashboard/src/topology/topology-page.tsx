import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveState } from "../app/live.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { NowDocument } from "../now/now.generated.js";
import type { Summary } from "../now/summary.js";
import { Pick } from "../integrations/pick.js";
import { type Arrow, MAX_DRAWN, neighbourhood } from "./neighbourhood.js";
import { SystemGraph } from "./system-graph.js";
import { SystemPanel } from "./system-panel.js";
import { stateOfSystem, systemWords, type SystemState, type TopologySystem } from "./system-state.js";
import { SystemsTable } from "./systems-table.js";
import { useSystems } from "./use-systems.js";
import styles from "./topology.module.css";

/** A system with where it is. */
export interface Standing {
  readonly system: TopologySystem;
  readonly state: SystemState;
}

/** What depends on what, and where each system is, live: as a drawing or as a table. */
export function TopologyPage() {
  const now = useLiveState(NowDocument, {});
  const summary = now.data?.statusSummary;
  const { systems, isCut, refusal, again } = useSystems(summary?.failingIntegrations ?? 0);
  if (systems === null) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  if (summary === undefined) return now.refusal === null ? <Loading /> : <ErrorState refusal={now.refusal} onAgain={now.again} />;
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <Shown systems={systems} summary={summary} isCut={isCut} />
    </>
  );
}

function Shown({
  systems,
  summary,
  isCut,
}: {
  readonly systems: readonly TopologySystem[];
  readonly summary: Summary;
  readonly isCut: boolean;
}) {
  const { formatMessage } = useIntl();
  const { view, system: asked = null } = useSearch({ from: "/topology" });
  const navigate = useNavigate({ from: "/topology" });
  const standing = useMemo(() => systems.map((system) => ({ system, state: stateOfSystem(system, summary) })), [systems, summary]);
  const arrows = useMemo(() => arrowsOf(systems), [systems]);
  const chosen = standing.find(({ system }) => system.key === asked) ?? null;
  const choose = (key: string) =>
    void navigate({ search: (before) => ({ ...before, system: key === "" ? undefined : key }), replace: true });
  const count = (...words: readonly SystemState["word"][]) => standing.filter(({ state }) => words.includes(state.word)).length;
  const title = formatMessage(
    { id: "topology.title" },
    {
      all: systems.length,
      failing: count("away", "overrun", "failing"),
      held: count("held", "draining", "partly"),
      quiesced: count("quiesced"),
    },
  );
  if (systems.length === 0)
    return (
      <Page title={title}>
        <Empty>
          <FormattedMessage id="topology.none" />
        </Empty>
      </Page>
    );
  return (
    <Page title={title} actions={<Ways isTable={view === "table"} system={asked} />}>
      {isCut ? (
        <p className="quiet">
          <FormattedMessage id="topology.cut" values={{ count: systems.length }} />
        </p>
      ) : null}
      <div className={styles["columns"]}>
        <div className={styles["main"]}>
          <div className={styles["find"]}>
            <Pick
              label={formatMessage({ id: "topology.system" })}
              none={formatMessage({ id: "topology.system.none" })}
              value={asked ?? ""}
              options={systems.map(({ key, name }) => ({ id: key, text: name }))}
              onChange={choose}
            />
          </div>
          {view === "table" ? (
            <SystemsTable standing={standing} />
          ) : (
            <Graph standing={standing} arrows={arrows} chosen={asked} onChoose={choose} />
          )}
        </div>
        {chosen === null ? (
          <p className={styles["hint"]}>
            <FormattedMessage id={asked === null ? "topology.choose" : "topology.unknown"} values={{ system: asked }} />
          </p>
        ) : (
          <SystemPanel chosen={chosen} standing={standing} onChoose={choose} />
        )}
      </div>
    </Page>
  );
}

function Ways({ isTable, system }: { readonly isTable: boolean; readonly system: string | null }) {
  const search = system === null ? {} : { system };
  return (
    <>
      <Link to="/topology" search={isTable ? search : { ...search, view: "table" }} className="button">
        <FormattedMessage id={isTable ? "topology.graph" : "topology.table"} />
      </Link>
      <Link to="/integrations" search={{ by: "system" }} className="button">
        <FormattedMessage id="topology.list" />
      </Link>
    </>
  );
}

function Graph(props: {
  readonly standing: readonly Standing[];
  readonly arrows: readonly Arrow[];
  readonly chosen: string | null;
  readonly onChoose: (key: string) => void;
}) {
  const { formatMessage } = useIntl();
  const { standing, arrows, chosen, onChoose } = props;
  // Too many to draw: those around the chosen one, or around what is worst.
  const around = chosen ?? worst(standing);
  const drawn = useMemo(
    () =>
      neighbourhood(
        standing.map(({ system }) => system.key),
        arrows,
        { around },
      ),
    [standing, arrows, around],
  );
  const nodes = standing.flatMap(({ system: { key, name }, state }) =>
    drawn.has(key) ? [{ id: key, title: name, tone: state.tone, word: formatMessage({ id: `topology.word.${state.word}` }) }] : [],
  );
  const shown = arrows.filter(({ from, to }) => drawn.has(from) && drawn.has(to));
  return (
    <>
      {drawn.size < standing.length ? (
        <p className="quiet">
          <FormattedMessage
            id="topology.neighbourhood"
            values={{
              shown: drawn.size,
              all: standing.length,
              most: MAX_DRAWN,
              system: standing.find(({ system }) => system.key === around)?.system.name ?? "",
            }}
          />
        </p>
      ) : null}
      <SystemGraph label={formatMessage({ id: "topology.drawing" })} nodes={nodes} arrows={shown} chosen={chosen} onChoose={onChoose} />
      <Legend />
    </>
  );
}

function Legend() {
  return (
    <p className={styles["legend"]}>
      <FormattedMessage id="topology.legend" />
    </p>
  );
}

function worst(standing: readonly Standing[]): string | null {
  const rank = ({ state }: Standing) => systemWords.indexOf(state.word);
  return (
    standing.reduce<Standing | null>((found, one) => (found === null || rank(one) < rank(found) ? one : found), null)?.system.key ?? null
  );
}

function arrowsOf(systems: readonly TopologySystem[]): readonly Arrow[] {
  const known = new Set(systems.map(({ key }) => key));
  return systems.flatMap(({ key, dependencies }) =>
    dependencies.flatMap(({ strength, system }) =>
      known.has(system.key) ? [{ from: key, to: system.key, isSoft: strength === "SOFT" }] : [],
    ),
  );
}
