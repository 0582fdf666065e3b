import { useState } from "react";
import { Button, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import { Chart } from "./chart.js";
import {
  ObjectivesDocument,
  type ObjectivesQuery,
  type ObjectiveState,
  ObjectiveStandingDocument,
  type ObjectiveStandingQuery,
} from "./objectives.generated.js";
import { type Scope, scopeKinds } from "./scope.js";
import { figureText, wholeLength } from "./units.js";
import styles from "./kpis.module.css";

type ListedObjective = ObjectivesQuery["objectives"]["nodes"][number];
type Standing = NonNullable<ObjectiveStandingQuery["objective"]>["standing"];

const PAGE_SIZE = 50;
const kinds = ["objective.*"];
const tones: { readonly [state in ObjectiveState]: StatusTone } = { MET: "quiesced", AT_RISK: "held", MISSED: "failing", UNKNOWN: "quiet" };

/** Objectives of the scope, each with its error budget: what is left, and how fast it is spent. */
export function Objectives({ scope }: { readonly scope: Scope | null }) {
  const pages = usePages();
  const { data, refusal, again } = useLiveQuery(ObjectivesDocument, { first: PAGE_SIZE, after: pages.after }, { kinds });
  const shown = (data?.objectives.nodes ?? []).filter((one) => fits(one, scope));
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.objectives" />
      </h2>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {data === undefined ? (
        refusal === null ? (
          <Loading />
        ) : null
      ) : shown.length === 0 ? (
        <Empty>
          <FormattedMessage id="kpis.objectives.none" />
        </Empty>
      ) : (
        <ul className={styles["objectives"]}>
          {shown.map((objective) => (
            <li key={objective.id}>
              <Objective objective={objective} />
            </li>
          ))}
        </ul>
      )}
      {data === undefined ? null : <PageButtons pages={pages} pageInfo={data.objectives.pageInfo} />}
    </section>
  );
}

/** Of everything all are shown; of one thing those that are about it. */
function fits({ scope: of }: ListedObjective, scope: Scope | null): boolean {
  return scope === null || scopeKinds.every((kind) => of[kind] === (kind === scope.kind ? scope.key : null));
}

function Objective({ objective }: { readonly objective: ListedObjective }) {
  const intl = useIntl();
  const { key, title, state, target, periodDays, problem, indicator, limit } = objective;
  const [isOpen, setOpen] = useState(false);
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={3} className={styles["objective-heading"]}>
        <Button slot="trigger" className={styles["objective-button"] ?? ""}>
          <span className={styles["chevron"]} aria-hidden="true" />
          <Status tone={tones[state]}>{intl.formatMessage({ id: `kpis.objective.${state}` })}</Status>
          <span className={styles["objective-title"]}>{title}</span>
          <span className="quiet">
            <FormattedMessage
              id="kpis.objective.target"
              values={{
                target: figureText(target, "share", intl),
                days: periodDays,
                indicator,
                limit: limit === null ? "none" : figureText(limit, "ms", intl),
              }}
            />
          </span>
        </Button>
      </Heading>
      <DisclosurePanel className={styles["objective-panel"] ?? ""}>
        {problem === null ? null : <p>{problem}</p>}
        {isOpen ? <Budget objectiveKey={key} /> : null}
      </DisclosurePanel>
    </Disclosure>
  );
}

function Budget({ objectiveKey }: { readonly objectiveKey: string }) {
  const { data, refusal, again } = useLiveQuery(ObjectiveStandingDocument, { key: objectiveKey }, { kinds });
  const standing = data?.objective?.standing;
  if (standing === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  return (
    <>
      <BudgetSentence standing={standing} />
      <Burns standing={standing} />
      <Days standing={standing} />
    </>
  );
}

function BudgetSentence({ standing: { budget, unit } }: { readonly standing: Standing }) {
  const intl = useIntl();
  const amount = (value: number | null) =>
    value === null ? "–" : unit === "ms" ? wholeLength(Math.max(0, value)) : intl.formatNumber(value, { maximumFractionDigits: 0 });
  return (
    <p>
      <FormattedMessage
        id="kpis.budget"
        values={{
          achieved: figureText(budget.achieved, "share", intl),
          left: figureText(budget.remainingShare, "share", intl),
          spent: amount(budget.spent),
          total: amount(budget.total),
          unit,
        }}
      />
    </p>
  );
}

/** Rules that burn now; silent ones are left out. */
function Burns({ standing: { burns } }: { readonly standing: Standing }) {
  const { formatNumber } = useIntl();
  const times = useTimes();
  const burning = burns.filter(({ isBurning }) => isBurning);
  if (burning.length === 0) return null;
  return (
    <ul className={styles["plain"]}>
      {burning.map(({ rule, action, longRate, since }) => (
        <li key={rule}>
          <FormattedMessage
            id="kpis.burn"
            values={{
              rate: formatNumber(longRate ?? 0, { maximumFractionDigits: 1 }),
              action,
              since: since === null ? "none" : times.instant(since),
            }}
          />
        </li>
      ))}
    </ul>
  );
}

function Days({ standing: { days } }: { readonly standing: Standing }) {
  const intl = useIntl();
  const times = useTimes();
  const name = intl.formatMessage({ id: "kpis.budget.left" });
  if (days.length === 0) return null;
  const columns = { at: days.map(({ from }) => Date.parse(from) / 1_000), lines: [days.map(({ remainingShare }) => remainingShare)] };
  return (
    <>
      {days.length < 2 ? null : (
        <Chart
          label={intl.formatMessage({ id: "kpis.budget.label" }, { days: days.length })}
          columns={columns}
          names={[name]}
          shades={[]}
          unit="share"
          zone="UTC"
        />
      )}
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={name}>
        <table className={`${styles["table"]} ${styles["narrow"]}`}>
          <thead>
            <tr>
              <th scope="col">{intl.formatMessage({ id: "kpis.budget.day" })}</th>
              <th scope="col" className={styles["number"]}>
                {name}
              </th>
            </tr>
          </thead>
          <tbody>
            {days.map(({ from, remainingShare }) => (
              <tr key={from}>
                <th scope="row">{times.day(from, "UTC")}</th>
                <td className={styles["number"]}>{figureText(remainingShare, "share", intl)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
