import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty } from "../components/states.js";
import { Field } from "../components/text-field.js";
import { CredentialText, Findings, TrafficStatus } from "./endpoint-state.js";
import { EndpointsDocument, type ListedEndpointFragment } from "./endpoints.generated.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

/** The address follows what is typed when nobody has typed for so long. */
const QUIET_MS = 300;

/** Every way to a system: whether runs may go there, what checks found, and how long its secrets are good. The filters are in the address. */
export function EndpointsPage() {
  const { q = "", connector = "" } = useSearch({ from: "/administration/endpoints" });
  const { formatMessage } = useIntl();
  return (
    <AdministrationPage title={formatMessage({ id: "administration.endpoints.title" })}>
      <Filters q={q} connector={connector} />
      <List key={`${q} ${connector}`} q={q} connector={connector} />
    </AdministrationPage>
  );
}

function Filters(shown: { readonly q: string; readonly connector: string }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/administration/endpoints" });
  const [{ q, connector }, setTyped] = useState(shown);
  useEffect(() => {
    if (q === shown.q && connector === shown.connector) return undefined;
    const search = { ...(q === "" ? {} : { q }), ...(connector === "" ? {} : { connector }) };
    const timer = setTimeout(() => void navigate({ search, replace: true }), QUIET_MS);
    return () => clearTimeout(timer);
  }, [q, connector, shown.q, shown.connector, navigate]);
  return (
    <search className={styles["filters"]}>
      <Field
        label={formatMessage({ id: "administration.endpoints.search" })}
        type="search"
        value={q}
        onChange={(text) => setTyped({ q: text, connector })}
        maxLength={100}
      />
      <Field
        label={formatMessage({ id: "administration.connector" })}
        type="search"
        value={connector}
        onChange={(text) => setTyped({ q, connector: text })}
        maxLength={100}
      />
    </search>
  );
}

function List({ q, connector }: { readonly q: string; readonly connector: string }) {
  const pages = usePages();
  const filter = useMemo(() => ({ search: q === "" ? null : q, connector: connector === "" ? null : connector }), [q, connector]);
  const reading = useLiveQuery(
    EndpointsDocument,
    { filter, after: pages.after },
    { kinds: ["endpoint.*", "credential.*", "catalogue.applied"] },
  );
  return (
    <Read reading={reading}>
      {({ endpoints: { nodes, pageInfo } }) => (
        <>
          {nodes.length === 0 ? (
            <Empty>
              <FormattedMessage id="administration.endpoints.none" />
            </Empty>
          ) : (
            <ul className={styles["list"]}>
              {nodes.map((endpoint) => (
                <Line key={endpoint.id} endpoint={endpoint} />
              ))}
            </ul>
          )}
          <PageButtons pages={pages} pageInfo={pageInfo} />
        </>
      )}
    </Read>
  );
}

function Line({ endpoint }: { readonly endpoint: ListedEndpointFragment }) {
  const { key, name, connector, system, traffic, findings } = endpoint;
  return (
    <li className={styles["item"]}>
      <span className={styles["part"]}>
        <Link to="/administration/endpoints/$key" params={{ key }}>
          {name}
        </Link>
        <span className="quiet">
          {system.name} · {connector}
        </span>
      </span>
      <span className={styles["part"]}>
        <TrafficStatus traffic={traffic} />
        <Findings findings={findings.filter(({ severity }) => severity !== "INFO")} />
      </span>
      <CredentialText endpoint={endpoint} />
    </li>
  );
}
