import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { Button } from "../components/button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status } from "../components/status.js";
import { Field } from "../components/text-field.js";
import { CatalogueSystemsDocument, type CatalogueSystemsQuery } from "./catalogue.generated.js";
import styles from "./catalogue.module.css";

const PAGE_SIZE = 100;

/** Systems with how many of their integrations are held or fail. */
export function SystemsList() {
  const { formatMessage } = useIntl();
  const [q, setQ] = useState("");
  return (
    <>
      <search className={styles["filters"]}>
        <Field label={formatMessage({ id: "integrations.search.system" })} type="search" value={q} onChange={setQ} maxLength={100} />
      </search>
      <List key={q} q={q} />
    </>
  );
}

function List({ q }: { readonly q: string }) {
  const { formatMessage } = useIntl();
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const after = cursors.at(-1) ?? null;
  const variables = useMemo(() => ({ filter: { search: q === "" ? null : q }, first: PAGE_SIZE, after }), [q, after]);
  const { data, refusal, again } = useLiveQuery(CatalogueSystemsDocument, variables, {
    kinds: ["hold.*", "window.*", "catalogue.applied"],
  });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes, pageInfo } = data.systems;
  if (nodes.length === 0)
    return (
      <Empty>
        <FormattedMessage id={q === "" ? "integrations.systems.none" : "integrations.systems.none-found"} values={{ q }} />
      </Empty>
    );
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <ul className={styles["plain-list"]} aria-label={formatMessage({ id: "integrations.systems.title" })}>
        {nodes.map((system) => (
          <SystemRow key={system.id} system={system} />
        ))}
      </ul>
      <div className={styles["paging"]}>
        {cursors.length > 1 ? (
          <Button onPress={() => setCursors(cursors.slice(0, -1))}>
            <FormattedMessage id="integrations.page.before" />
          </Button>
        ) : null}
        {pageInfo.hasNextPage ? (
          <Button onPress={() => setCursors([...cursors, pageInfo.endCursor])}>
            <FormattedMessage id="integrations.page.after" />
          </Button>
        ) : null}
      </div>
    </>
  );
}

function SystemRow({ system }: { readonly system: CatalogueSystemsQuery["systems"]["nodes"][number] }) {
  const { key, name, kind, ownerTeam, tags, integrationCounts: counts } = system;
  return (
    <li className={styles["row"]}>
      <span className={styles["marks"]}>
        {counts.failing > 0 ? (
          <Status tone="failing">
            <FormattedMessage id="integrations.systems.failing" values={{ count: counts.failing }} />
          </Status>
        ) : null}
        {counts.held > 0 ? (
          <Status tone="held">
            <FormattedMessage id="integrations.systems.held" values={{ count: counts.held }} />
          </Status>
        ) : null}
        {counts.failing + counts.held === 0 ? (
          <Status tone="quiet">
            <FormattedMessage id={counts.all === 0 ? "integrations.systems.unused" : "integrations.systems.fine"} />
          </Status>
        ) : null}
      </span>
      <span className={styles["name"]}>
        <Link to="/topology" search={{ system: key }}>
          {name}
        </Link>
        <span className="quiet">{kind}</span>
      </span>
      <span className={styles["about"]}>{[ownerTeam, ...tags.map((tag) => `#${tag}`)].filter(Boolean).join(" · ")}</span>
      <Link to="/integrations" search={{ system: key }} className={styles["last"]}>
        <FormattedMessage id="integrations.systems.all" values={{ count: counts.all }} />
      </Link>
    </li>
  );
}
