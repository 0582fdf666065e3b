import { Link, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useConnection } from "../app/connection.js";
import { Button } from "../components/button.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { CatalogueFilters } from "./catalogue-filters.js";
import { CatalogueList } from "./catalogue-list.js";
import { type CatalogueFilter, fits, numbersOfRows } from "./catalogue-rows.js";
import { type Catalogue, openCatalogue } from "./open-catalogue.js";
import { SystemsList } from "./systems-list.js";
import styles from "./catalogue.module.css";

/** Every integration and where it is now. The filters are in the address. */
export function CataloguePage() {
  const { by } = useSearch({ from: "/integrations" });
  return by === "system" ? <BySystem /> : <ByIntegration />;
}

function BySystem() {
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "integrations.systems.title" })} actions={<Ways />}>
      <SystemsList />
    </Page>
  );
}

function ByIntegration() {
  const connection = useConnection();
  const [catalogue, setCatalogue] = useState<Catalogue | null>(null);
  useEffect(() => {
    const opened = openCatalogue(connection);
    setCatalogue(opened);
    return opened.stop;
  }, [connection]);
  return catalogue === null ? <Loading /> : <Shown catalogue={catalogue} />;
}

function Ways() {
  const { by, ...filters } = useSearch({ from: "/integrations" });
  return (
    <>
      {by === "system" ? (
        <Link to="/integrations" search={filters} className="button">
          <FormattedMessage id="integrations.by-integration" />
        </Link>
      ) : (
        <Link to="/integrations" search={{ by: "system" }} className="button">
          <FormattedMessage id="integrations.by-system" />
        </Link>
      )}
      <Link to="/topology" className="button">
        <FormattedMessage id="integrations.map" />
      </Link>
    </>
  );
}

function Shown({ catalogue }: { readonly catalogue: Catalogue }) {
  const { formatMessage } = useIntl();
  const { q = "", system = "", team = "", tag = "", state = "" } = useSearch({ from: "/integrations" });
  const { rows, again } = catalogue;
  const overview = useSyncExternalStore(rows.overview.subscribe, rows.overview.get);
  const progress = useSyncExternalStore(catalogue.progress.subscribe, catalogue.progress.get);
  const filter = useMemo((): CatalogueFilter => ({ q, system, team, tag, state }), [q, system, team, tag, state]);
  const { shown, changed } = useShown(catalogue, filter);
  const numbers = numbersOfRows(rows.all());
  if (overview.order.length === 0 && !progress.isComplete && progress.refusal === null) return <Loading />;
  return (
    <Page title={formatMessage({ id: "integrations.title" }, { ...numbers })} actions={<Ways />}>
      {progress.refusal === null ? null : <ErrorState refusal={progress.refusal} onAgain={again} />}
      <CatalogueFilters rows={[...rows.all()]} filter={filter} />
      <p className={styles["count"]} role="status">
        {shown.length === overview.order.length ? null : (
          <FormattedMessage id="integrations.shown" values={{ shown: shown.length, all: overview.order.length }} />
        )}{" "}
        {progress.isComplete || progress.refusal !== null ? null : <FormattedMessage id="integrations.more-coming" />}
        {progress.isCut ? <FormattedMessage id="integrations.cut" values={{ count: overview.order.length }} /> : null}
      </p>
      {changed === 0 ? null : (
        <p className={styles["moved"]}>
          <FormattedMessage id="integrations.moved" values={{ count: changed }} />{" "}
          <Button onPress={() => rows.reorder()}>
            <FormattedMessage id="integrations.reorder" />
          </Button>
        </p>
      )}
      {shown.length === 0 ? <Nothing isFiltered={overview.order.length > 0} /> : <CatalogueList rows={rows} keys={shown} />}
    </Page>
  );
}

/** Rows that fitted when the list was put in order. Whatever happens since moves nothing under somebody's pointer; it is counted. */
function useShown({ rows }: Catalogue, filter: CatalogueFilter): { readonly shown: readonly string[]; readonly changed: number } {
  const { order, moved, version } = useSyncExternalStore(rows.overview.subscribe, rows.overview.get);
  const shown = useMemo(() => {
    const fitting = order.filter((key) => {
      const row = rows.get(key);
      return row !== undefined && fits(row, filter);
    });
    return { keys: fitting, set: new Set(fitting) };
  }, [rows, order, filter]);
  const changed = useMemo(() => {
    let count = 0;
    for (const row of rows.all()) if (fits(row, filter) !== shown.set.has(row.key)) count += 1;
    return filter.state === "" ? moved : count;
    // The rows are the same object whatever is in them; their version is not.
  }, [rows, filter, shown, moved, version]);
  return { shown: shown.keys, changed };
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (!isFiltered)
    return (
      <Empty>
        <FormattedMessage id="integrations.none" />
      </Empty>
    );
  return (
    <Empty
      action={
        <Link to="/integrations" className="button">
          <FormattedMessage id="integrations.show-all" />
        </Link>
      }
    >
      <FormattedMessage id="integrations.none-found" />
    </Empty>
  );
}
