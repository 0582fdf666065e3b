import { useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { ConfirmedButton } from "../components/confirmed-button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import type { ShownIntegration } from "./explain-sentence.js";
import { shortJson } from "./json-text.js";
import { StartTrial, Trials } from "./trials.js";
import { IntegrationVersionsDocument, type IntegrationVersionsQuery, RollBackDocument, VersionDiffDocument } from "./versions.generated.js";
import styles from "./integration.module.css";

type Version = NonNullable<IntegrationVersionsQuery["integration"]>["versions"]["nodes"][number];

const PAGE_SIZE = 20;

/** What an integration's definition was, and the way back. */
export function VersionsTab({ integration }: { readonly integration: ShownIntegration }) {
  const { key } = integration;
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const [opened, setOpened] = useState<number | null>(null);
  const [told, setTold] = useState<string | null>(null);
  const after = cursors.at(-1) ?? null;
  const variables = useMemo(() => ({ key, first: PAGE_SIZE, after }), [key, after]);
  const { data, refusal, again } = useLiveQuery(IntegrationVersionsDocument, variables, { kinds: ["catalogue.applied", "integration.*"] });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes = [], pageInfo } = data.integration?.versions ?? {};
  const current = data.integration?.version ?? null;
  const done = (words: string) => {
    setOpened(null);
    setTold(words);
    again();
  };
  return (
    <>
      <p role="status" className={styles["told"]}>
        {told}
      </p>
      {nodes.length === 0 ? (
        <Empty>
          <FormattedMessage id="integrations.versions.none" />
        </Empty>
      ) : (
        <ol className={styles["versions"]}>
          {nodes.map((version) => (
            <VersionRow
              key={version.number}
              integration={integration}
              version={version}
              current={current}
              isOpen={opened === version.number}
              onOpen={() => setOpened(opened === version.number ? null : version.number)}
              onDone={done}
            />
          ))}
        </ol>
      )}
      <div className={styles["paging"]}>
        {cursors.length > 1 ? (
          <Button onPress={() => setCursors(cursors.slice(0, -1))}>
            <FormattedMessage id="integrations.page.before" />
          </Button>
        ) : null}
        {pageInfo?.hasNextPage === true ? (
          <Button onPress={() => setCursors([...cursors, pageInfo.endCursor])}>
            <FormattedMessage id="integrations.page.after" />
          </Button>
        ) : null}
      </div>
      <Trials integration={integration} />
    </>
  );
}

function VersionRow({
  integration,
  version,
  current,
  isOpen,
  onOpen,
  onDone,
}: {
  readonly integration: ShownIntegration;
  readonly version: Version;
  readonly current: number | null;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
  readonly onDone: (words: string) => void;
}) {
  const intl = useIntl();
  const times = useTimes();
  const { number, at, actor, origin, reason, restores } = version;
  const isCurrent = number === current;
  return (
    <li className={styles["version"]}>
      <div className={styles["letter-line"]}>
        <strong>
          <FormattedMessage id="integrations.version" values={{ number }} />
        </strong>
        {isCurrent ? (
          <span className={styles["badge"]}>
            <FormattedMessage id="integrations.version.current" />
          </span>
        ) : null}
        <span className="quiet">
          {times.instant(at)} · {actorText(actor, intl)} ·{" "}
          <FormattedMessage id={`integrations.origin.${origin}`} values={{ restores: restores ?? 0 }} />
        </span>
        <span className={styles["letter-end"]}>
          {isCurrent || current === null ? null : (
            <Button isQuiet onPress={onOpen} aria-expanded={isOpen}>
              <FormattedMessage id={isOpen ? "integrations.version.hide" : "integrations.version.compare"} values={{ number, current }} />
            </Button>
          )}
        </span>
      </div>
      {reason === null ? null : <p className={styles["letter-why"]}>{reason}</p>}
      {isOpen && current !== null ? <Difference integration={integration} version={version} current={current} onDone={onDone} /> : null}
    </li>
  );
}

/** What would change by going back, and the button that does. */
function Difference({
  integration,
  version,
  current,
  onDone,
}: {
  readonly integration: ShownIntegration;
  readonly version: Version;
  readonly current: number;
  readonly onDone: (words: string) => void;
}) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const times = useTimes();
  const { run, ...command } = useCommand(RollBackDocument);
  const { key, name } = integration;
  const { number, at, actor } = version;
  const { data, refusal, again } = useLiveQuery(VersionDiffDocument, { integration: key, from: current, to: number });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const changes = data.integrationVersionDiff;
  const label = formatMessage({ id: "integrations.version.difference" }, { number, current });
  if (changes.length === 0)
    return (
      <p className="quiet">
        <FormattedMessage id="integrations.version.same" values={{ number }} />
      </p>
    );
  const back = formatMessage(
    { id: "integrations.rollback" },
    { number, at: times.instant(at), actor: actorText(actor, intl), count: changes.length },
  );
  return (
    <>
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={label}>
        <table className={styles["table"]}>
          <thead>
            <tr>
              {(["path", "now", "then"] as const).map((column) => (
                <th key={column} scope="col">
                  {formatMessage({ id: `integrations.version.${column}` })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {changes.map(({ path, before, after }) => (
              <tr key={path}>
                <th scope="row">
                  <code>{path}</code>
                </th>
                <td className={styles["before"]}>{shortJson(before)}</td>
                <td className={styles["after"]}>{shortJson(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className={styles["actions"]}>
        <ConfirmedButton
          {...command}
          label={back}
          title={formatMessage({ id: "integrations.rollback.title" }, { name, number })}
          words={formatMessage({ id: "integrations.rollback.words" }, { count: changes.length })}
          isDangerous
          onConfirm={async (reason) => {
            const done = await run({ input: { integration: key, version: number, reason } });
            if (done !== null) onDone(formatMessage({ id: "integrations.rolled-back" }, { number }));
            return done !== null;
          }}
        />
        <StartTrial integration={integration} version={number} onDone={onDone} />
      </div>
    </>
  );
}
