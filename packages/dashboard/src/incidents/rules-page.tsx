import { refusalOf, type Refusal } from "@quiesce/client";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useConnection } from "../app/connection.js";
import { useLiveQuery } from "../app/live.js";
import { Button } from "../components/button.js";
import { Choice } from "../components/choice.js";
import { CommandButton } from "../components/command-button.js";
import { Page } from "../components/page.js";
import { ErrorState, Loading } from "../components/states.js";
import { Field } from "../components/text-field.js";
import { RuleList } from "./rule-list.js";
import {
  CorrelationRulesDocument,
  PreviewCorrelationRulesDocument,
  type PreviewCorrelationRulesQuery,
  SaveCorrelationRulesDocument,
} from "./rules.generated.js";
import styles from "./incidents.module.css";

type Backtest = PreviewCorrelationRulesQuery["previewCorrelationRules"];

const DAY_MS = 86_400_000;
const spans = ["1", "7", "30"] as const;

/** The rules of correlation: what is in force in words, and others tried on what was recorded before they are saved. */
export function RulesPage() {
  const { formatMessage } = useIntl();
  const { data, refusal, again } = useLiveQuery(CorrelationRulesDocument, {});
  const back = (
    <Link to="/incidents" className="button">
      <FormattedMessage id="incidents.menu" />
    </Link>
  );
  return (
    <Page title={formatMessage({ id: "incidents.rules.title" })} actions={back}>
      {data === undefined ? (
        refusal === null ? (
          <Loading />
        ) : (
          <ErrorState refusal={refusal} onAgain={again} />
        )
      ) : (
        <>
          <h2>
            <FormattedMessage id="incidents.rules.present" />
          </h2>
          <RuleList rules={data.correlationRules} />
          <Editor key={JSON.stringify(data.correlationRules)} rules={data.correlationRules} onSaved={again} />
        </>
      )}
    </Page>
  );
}

function Editor({ rules, onSaved }: { readonly rules: unknown; readonly onSaved: () => void }) {
  const { formatMessage } = useIntl();
  const [text, setText] = useState(JSON.stringify(rules, null, 2));
  const trial = useTrial();
  const parsed = parse(text);
  const error = parsed.ok ? null : formatMessage({ id: "incidents.rules.not-json" }, { error: parsed.error });
  return (
    <section className={styles["editor"]}>
      <h2>
        <FormattedMessage id="incidents.rules.edit" />
      </h2>
      <div className={styles["rules-text"]}>
        <Field
          label={formatMessage({ id: "incidents.rules.text" })}
          hint={formatMessage({ id: "incidents.rules.hint" })}
          value={text}
          onChange={(next) => {
            setText(next);
            trial.forget();
          }}
          isLong
          error={error}
        />
      </div>
      <div className={styles["buttons"]}>
        <Choice
          label={formatMessage({ id: "incidents.rules.span" })}
          value={trial.days}
          options={spans.map((id) => ({ id, text: formatMessage({ id: "incidents.rules.days" }, { days: Number(id) }) }))}
          onChange={trial.setDays}
        />
        <Button
          isPrimary={trial.backtest === null}
          isDisabled={!parsed.ok}

          onPress={() => void trial.run(parsed)}
        >
          <FormattedMessage id="incidents.rules.try" />
        </Button>
        <CommandButton
          document={SaveCorrelationRulesDocument}
          label={formatMessage({ id: "incidents.rules.save" })}
          title={formatMessage({ id: "incidents.rules.save.title" })}
          words={formatMessage({ id: trial.backtest === null ? "incidents.rules.save.untried" : "incidents.rules.save.words" })}
          isPrimary={trial.backtest !== null}
          isDisabled={!parsed.ok}
          variables={(reason) => (parsed.ok ? { input: { rules: parsed.rules, reason } } : null)}
          onDone={onSaved}
        />
      </div>
      {trial.refusal === null ? null : <ErrorState refusal={trial.refusal} />}
      {trial.backtest === null ? null : <Outcome backtest={trial.backtest} />}
    </section>
  );
}

type Parsed = { readonly ok: true; readonly rules: unknown } | { readonly ok: false; readonly error: string };

function parse(text: string): Parsed {
  try {
    return { ok: true, rules: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function useTrial() {
  const { client } = useConnection();
  const [days, setDays] = useState<(typeof spans)[number]>("7");
  const [backtest, setBacktest] = useState<Backtest | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isRunning, setRunning] = useState(false);
  const forget = () => {
    setBacktest(null);
    setRefusal(null);
  };
  const run = async (parsed: Parsed) => {
    if (!parsed.ok || isRunning) return;
    setRunning(true);
    forget();
    const to = Date.now();
    const variables = { rules: parsed.rules, from: new Date(to - Number(days) * DAY_MS).toISOString(), to: new Date(to).toISOString() };
    const { data, error } = await client.query(PreviewCorrelationRulesDocument, variables, { requestPolicy: "network-only" }).toPromise();
    setRunning(false);
    setRefusal(refusalOf(error));
    setBacktest(data?.previewCorrelationRules ?? null);
  };
  const choose = (chosen: (typeof spans)[number]) => {
    setDays(chosen);
    forget();
  };
  return { days, setDays: choose, backtest, refusal, isRunning, forget, run };
}

/** What the rules would have made of the alerts, beside those in force. */
function Outcome({ backtest }: { readonly backtest: Backtest }) {
  const { formatMessage, formatNumber } = useIntl();
  const { alerts, proposed, current, hiddenCriticals } = backtest;
  const columns = ["incidents", "suppressed", "untold"] as const;
  return (
    <div role="status" className={styles["outcome"]}>
      <p className={styles["root"]}>
        <FormattedMessage id="incidents.rules.outcome" values={{ incidents: proposed.incidents, alerts, hidden: hiddenCriticals.length }} />
      </p>
      {hiddenCriticals.length === 0 ? null : (
        <p>
          <FormattedMessage id="incidents.rules.hidden" values={{ alerts: hiddenCriticals.join(", ") }} />
        </p>
      )}
      <table className={styles["table"]}>
        <thead>
          <tr>
            <th scope="col">{formatMessage({ id: "incidents.rules.which" })}</th>
            {columns.map((column) => (
              <th key={column} scope="col" className={styles["number"]}>
                {formatMessage({ id: `incidents.rules.column.${column}` })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(
            [
              ["proposed", proposed],
              ["current", current],
            ] as const
          ).map(([which, side]) => (
            <tr key={which}>
              <th scope="row">{formatMessage({ id: `incidents.rules.${which}` })}</th>
              {columns.map((column) => (
                <td key={column} className={styles["number"]}>
                  {formatNumber(side[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
