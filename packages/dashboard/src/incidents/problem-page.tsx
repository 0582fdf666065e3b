import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Choice } from "../components/choice.js";
import { CommandButton } from "../components/command-button.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Field } from "../components/text-field.js";
import {
  IncidentsOfProblemDocument,
  ProblemDocument,
  type ProblemQuery,
  type ProblemState,
  UpdateProblemDocument,
} from "./problems.generated.js";
import { IncidentStatus, Severity } from "./state.js";
import styles from "./incidents.module.css";

type ShownProblem = NonNullable<ProblemQuery["problem"]>;

const states: readonly ProblemState[] = ["OPEN", "KNOWN_ERROR", "CLOSED"];
const kinds = ["incident.problem-linked", "incident.problem-updated", "incident.state-changed"];

/** What comes again and again: what people found out, and each time that it came. */
export function ProblemPage() {
  const { key } = useParams({ from: "/problems/$key" });
  const { data, refusal, again } = useLiveQuery(ProblemDocument, { key }, { kinds });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  if (data.problem === null)
    return (
      <Empty
        action={
          <Link to="/problems" className="button">
            <FormattedMessage id="incidents.problems" />
          </Link>
        }
      >
        <FormattedMessage id="incidents.problem.unknown" values={{ key }} />
      </Empty>
    );
  return <Shown problem={data.problem} />;
}

function Shown({ problem }: { readonly problem: ShownProblem }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { key, title, state, root, system, cause, workaround, openedAt } = problem;
  const { data } = useLiveQuery(IncidentsOfProblemDocument, { key }, { kinds });
  const count = data?.incidents.totalCount ?? 0;
  const sentence = formatMessage(
    { id: "incidents.problem.sentence" },
    { title, count, root: system?.name ?? root, since: times.instant(openedAt) },
  );
  return (
    <Page title={sentence} actions={<Update key={`${state} ${cause} ${workaround}`} problem={problem} />}>
      <dl className={styles["strip"]}>
        <div>
          <dt>{formatMessage({ id: "incidents.fact.state" })}</dt>
          <dd>{formatMessage({ id: `incidents.problem.state.${state}` })}</dd>
        </div>
        <div>
          <dt>{formatMessage({ id: "incidents.problem.cause" })}</dt>
          <dd>{cause ?? formatMessage({ id: "incidents.problem.nothing" })}</dd>
        </div>
        <div>
          <dt>{formatMessage({ id: "incidents.problem.workaround" })}</dt>
          <dd>{workaround ?? formatMessage({ id: "incidents.problem.nothing" })}</dd>
        </div>
      </dl>
      <h2>{formatMessage({ id: "incidents.menu" })}</h2>
      <ul className={styles["list"]}>
        {(data?.incidents.nodes ?? []).map((incident) => (
          <li key={incident.id} className={styles["row"]}>
            <span className={styles["name"]}>
              <Link to="/incidents/$key" params={{ key: incident.key }}>
                {incident.title}
              </Link>
              <span className="quiet">{times.instant(incident.startedAt)}</span>
            </span>
            <span className={styles["cell"]}>
              <IncidentStatus state={incident.state} />
              <Severity severity={incident.severity} />
            </span>
            <span className={styles["cell"]}>
              {incident.resolvedAt === null ? "" : times.length(Date.parse(incident.resolvedAt) - Date.parse(incident.startedAt))}
            </span>
          </li>
        ))}
      </ul>
    </Page>
  );
}

function Update({ problem }: { readonly problem: ShownProblem }) {
  const { formatMessage } = useIntl();
  const { key } = problem;
  const [state, setState] = useState(problem.state);
  const [cause, setCause] = useState(problem.cause ?? "");
  const [workaround, setWorkaround] = useState(problem.workaround ?? "");
  return (
    <CommandButton
      document={UpdateProblemDocument}
      label={formatMessage({ id: "incidents.problem.update" })}
      title={formatMessage({ id: "incidents.problem.update.title" }, { key })}
      words={formatMessage({ id: "incidents.problem.update.words" })}
      isPrimary
      variables={(reason) => ({ input: { key, state, cause: textOf(cause), workaround: textOf(workaround), reason } })}
    >
      {() => (
        <>
          <Choice
            label={formatMessage({ id: "incidents.fact.state" })}
            value={state}
            options={states.map((id) => ({ id, text: formatMessage({ id: `incidents.problem.state.${id}` }) }))}
            onChange={setState}
          />
          <Field label={formatMessage({ id: "incidents.problem.cause" })} value={cause} onChange={setCause} isLong maxLength={10_000} />
          <Field
            label={formatMessage({ id: "incidents.problem.workaround" })}
            value={workaround}
            onChange={setWorkaround}
            isLong
            maxLength={10_000}
          />
        </>
      )}
    </CommandButton>
  );
}

/** What is left empty stays as it was. */
function textOf(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}
