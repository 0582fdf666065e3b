import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { CommandButton } from "../components/command-button.js";
import { Status, type StatusTone } from "../components/status.js";
import { ConnectorsDocument, type ConnectorsQuery, ReloadConnectorsDocument } from "./connectors.generated.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

type Endpoint = ConnectorsQuery["endpoints"]["nodes"][number];
type Connector = ConnectorsQuery["connectors"][number];

const tones: { readonly [state in Connector["state"]]: StatusTone } = { LOADED: "quiesced", DRAINING: "running", FAILED: "failing" };

/** What the server can speak with: what is loaded, what is not and why, and who uses it. */
export function ConnectorsPage() {
  const { formatMessage } = useIntl();
  const reading = useLiveQuery(ConnectorsDocument, {}, { kinds: ["control.connectors-reloaded", "catalogue.applied"] });
  const connectors = reading.data?.connectors ?? [];
  const failed = connectors.filter(({ state }) => state === "FAILED").length;
  const title =
    reading.data === undefined
      ? formatMessage({ id: "administration.connectors" })
      : formatMessage({ id: "administration.connectors.title" }, { loaded: connectors.length - failed, failed });
  const reload = (
    <CommandButton
      document={ReloadConnectorsDocument}
      variables={(reason) => ({ input: { reason: reason === "" ? null : reason } })}
      onDone={reading.again}
      label={formatMessage({ id: "administration.reload" })}
      title={formatMessage({ id: "administration.reload.title" })}
      words={formatMessage({ id: "administration.reload.words" })}
      reason="optional"
    />
  );
  // What wants to be mended comes first.
  const shown = connectors.toSorted((a, b) => Number(b.state === "FAILED") - Number(a.state === "FAILED") || a.name.localeCompare(b.name));
  return (
    <AdministrationPage title={title} actions={reload}>
      <Read reading={reading}>
        {({ endpoints }) => (
          <ul className={styles["list"]}>
            {shown.map((connector) => (
              <Line
                key={`${connector.name} ${connector.state} ${connector.version}`}
                connector={connector}
                users={endpoints.nodes.filter((one) => one.connector === connector.name)}
                isCut={endpoints.pageInfo.hasNextPage}
              />
            ))}
          </ul>
        )}
      </Read>
    </AdministrationPage>
  );
}

function Line({
  connector,
  users,
  isCut,
}: {
  readonly connector: Connector;
  readonly users: readonly Endpoint[];
  readonly isCut: boolean;
}) {
  const { formatMessage } = useIntl();
  const { name, connectorId, version, state, stability, isolation, reason, facets, package: from } = connector;
  return (
    <li className={styles["item"]}>
      <span className={styles["part"]}>
        <span className={styles["name"]}>{name}</span>
        <span className="quiet">
          {from === null ? formatMessage({ id: "administration.connector.own" }) : from}
          {version === null ? null : ` ${version}`}
          {connectorId === null || connectorId === name ? null : ` · ${connectorId}`}
        </span>
      </span>
      <span className={styles["part"]}>
        <Status tone={tones[state]}>{formatMessage({ id: `administration.connector.${state}` })}</Status>
        {reason === null ? null : (
          <span className={styles["bad"]} lang="en">
            {reason}
          </span>
        )}
        {state === "FAILED" ? null : (
          <span className="quiet">
            {facets.map((facet) => facet.name).join(", ")}
            {stability === null ? null : ` · ${formatMessage({ id: `administration.stability.${stability}` })}`}
            {` · ${formatMessage({ id: `administration.isolation.${isolation}` })}`}
          </span>
        )}
      </span>
      <Users connector={name} users={users} isCut={isCut} />
    </li>
  );
}

const SHOWN_USERS = 5;

/** The endpoints that are spoken with through it. `isCut`: there are more endpoints than were read. */
function Users({ connector, users, isCut }: { readonly connector: string; readonly users: readonly Endpoint[]; readonly isCut: boolean }) {
  if (users.length === 0 && !isCut)
    return (
      <span className="quiet">
        <FormattedMessage id="administration.connector.unused" />
      </span>
    );
  return (
    <span className={styles["part"]}>
      {users.slice(0, SHOWN_USERS).map(({ id, key, name }) => (
        <Link key={id} to="/administration/endpoints/$key" params={{ key }}>
          {name}
        </Link>
      ))}
      {users.length > SHOWN_USERS || isCut ? (
        <Link to="/administration/endpoints" search={{ connector }}>
          <FormattedMessage id="administration.connector.all" />
        </Link>
      ) : null}
    </span>
  );
}
