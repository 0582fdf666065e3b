import { Link, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Empty, ErrorState } from "../components/states.js";
import { Status } from "../components/status.js";
import { EndpointActions } from "./endpoint-actions.js";
import { CredentialText, Findings, TrafficStatus } from "./endpoint-state.js";
import { CheckEndpointDocument, EndpointPageDocument, type EndpointPageQuery, RotationsDocument } from "./endpoints.generated.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import { useAnswer } from "./use-answer.js";
import styles from "./administration.module.css";

type Endpoint = NonNullable<EndpointPageQuery["endpoint"]>;

/** One way to a system: what it says when it is asked, its secrets by fingerprint, and their renewals. */
export function EndpointPage() {
  const { key } = useParams({ from: "/administration/endpoints/$key" });
  const { formatMessage } = useIntl();
  const options = useMemo(() => ({ kinds: ["endpoint.*", "credential.*", "catalogue.applied"], subjects: [`endpoint:${key}`] }), [key]);
  const reading = useLiveQuery(EndpointPageDocument, { key }, options);
  const endpoint = reading.data?.endpoint ?? null;
  const title =
    endpoint === null
      ? formatMessage({ id: "administration.endpoints" })
      : formatMessage({ id: "administration.endpoint.title" }, { name: endpoint.name, system: endpoint.system.name });
  return (
    <AdministrationPage
      title={title}
      actions={endpoint === null ? undefined : <EndpointActions endpoint={endpoint} onDone={reading.again} />}
    >
      <Read reading={reading}>
        {() =>
          endpoint === null ? (
            <Empty
              action={
                <Link to="/administration/endpoints" className="button">
                  <FormattedMessage id="administration.endpoints" />
                </Link>
              }
            >
              <FormattedMessage id="administration.endpoint.unknown" values={{ key }} />
            </Empty>
          ) : (
            <Shown endpoint={endpoint} onChecked={reading.again} />
          )
        }
      </Read>
    </AdministrationPage>
  );
}

function Shown({ endpoint, onChecked }: { readonly endpoint: Endpoint; readonly onChecked: () => void }) {
  const { formatMessage } = useIntl();
  const { system, connector, traffic, findings, config, secrets } = endpoint;
  return (
    <>
      <dl className={styles["facts"]}>
        <div>
          <dt>{formatMessage({ id: "administration.connector" })}</dt>
          <dd>{connector}</dd>
        </div>
        <div>
          <dt>{formatMessage({ id: "administration.system" })}</dt>
          <dd>{system.name}</dd>
        </div>
        <div>
          <dt>{formatMessage({ id: "administration.traffic" })}</dt>
          <dd>
            <TrafficStatus traffic={traffic} />
          </dd>
        </div>
        <div>
          <dt>{formatMessage({ id: "administration.credential" })}</dt>
          <dd>
            <CredentialText endpoint={endpoint} />
          </dd>
        </div>
      </dl>
      <Check endpoint={endpoint} onChecked={onChecked} />
      <h2>{formatMessage({ id: "administration.findings" })}</h2>
      <Findings findings={findings} />
      <h2>{formatMessage({ id: "administration.secrets" })}</h2>
      <Secrets secrets={secrets} />
      <h2>{formatMessage({ id: "administration.rotations" })}</h2>
      <Rotations endpoint={endpoint.key} />
      <h2>{formatMessage({ id: "administration.config" })}</h2>
      <pre className={styles["json"]} tabIndex={0}>
        {JSON.stringify(config, null, 2)}
      </pre>
    </>
  );
}

/** Asks the system now, and says what it answered. */
function Check({ endpoint: { key }, onChecked }: { readonly endpoint: Endpoint; readonly onChecked: () => void }) {
  const { run, isRunning, refusal } = useCommand(CheckEndpointDocument);
  const [answer, ask] = useAnswer(async () => {
    const data = await run({ input: { endpoint: key } });
    onChecked();
    return data?.checkEndpoint ?? null;
  });
  return (
    <div className={styles["notice"]} role="status">
      <p>
        {answer === null ? (
          <FormattedMessage id="administration.check.unasked" />
        ) : (
          <Status tone={answer.ok ? "quiesced" : "failing"}>
            <FormattedMessage id={answer.ok ? "administration.check.ok" : "administration.check.bad"} />
          </Status>
        )}
      </p>
      {answer === null || answer.detail === null ? null : (
        <pre className={styles["json"]} tabIndex={0} lang="en">
          {typeof answer.detail === "string" ? answer.detail : JSON.stringify(answer.detail, null, 2)}
        </pre>
      )}
      {refusal === null ? null : <ErrorState refusal={refusal} />}
      <Button isPending={isRunning} onPress={() => void ask()}>
        <FormattedMessage id="administration.check" />
      </Button>
    </div>
  );
}

function Secrets({ secrets }: { readonly secrets: Endpoint["secrets"] }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  if (secrets.length === 0)
    return (
      <p className="quiet">
        <FormattedMessage id="administration.secrets.none" />
      </p>
    );
  return (
    <div className={styles["frame"]} tabIndex={0} role="region" aria-label={formatMessage({ id: "administration.secrets" })}>
      <table className={styles["table"]}>
        <thead>
          <tr>
            {(["name", "value", "source", "set"] as const).map((column) => (
              <th key={column} scope="col">
                {formatMessage({ id: `administration.secret.${column}` })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {secrets.map(({ name, fingerprint, source, updatedAt }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>
                <span aria-hidden="true">•••••••• </span>
                <code>{fingerprint}</code>
              </td>
              <td>{source}</td>
              <td>{times.full(updatedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rotations({ endpoint }: { readonly endpoint: string }) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const times = useTimes();
  const reading = useLiveQuery(RotationsDocument, { endpoint }, { kinds: ["credential.*"] });
  return (
    <Read reading={reading}>
      {({ credentialRotations: { nodes } }) =>
        nodes.length === 0 ? (
          <p className="quiet">
            <FormattedMessage id="administration.rotations.none" />
          </p>
        ) : (
          <ul className={styles["lines"]}>
            {nodes.map(({ id, state, begunAt, requestedBy, reason, problem, trigger }) => (
              <li key={id}>
                <Status tone={state === "SUCCEEDED" ? "quiesced" : state === "FAILED" || state === "UNREVOKED" ? "failing" : "resuming"}>
                  {formatMessage({ id: `administration.rotation.${state}` })}
                </Status>{" "}
                {formatMessage(
                  { id: "administration.rotation.line" },
                  {
                    at: times.instant(begunAt),
                    by: actorText(requestedBy, intl),
                    trigger: formatMessage({ id: `administration.trigger.${trigger}` }),
                    reason: reason ?? "none",
                  },
                )}
                {problem === null ? null : (
                  <span className={styles["bad"]} lang="en">
                    {" "}
                    {problem}
                  </span>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Read>
  );
}
