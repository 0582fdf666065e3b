import type { LiveRows } from "@quiesce/client";
import { Link } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { Status } from "../components/status.js";
import { type CatalogueRow, stateOf, toneOfRow } from "./catalogue-rows.js";
import { routeText } from "./route-text.js";
import styles from "./catalogue.module.css";

const ROW_PX = 52;
const OVERSCAN = 8;

/** As many lines as the window has room for, of however many there are; each follows its own row. */
export function CatalogueList({ rows, keys }: { readonly rows: LiveRows<CatalogueRow>; readonly keys: readonly string[] }) {
  const { formatMessage } = useIntl();
  const list = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY), []);
  const virtualizer = useWindowVirtualizer({
    count: keys.length,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin: top,
    getItemKey: (index) => keys[index] ?? index,
  });
  return (
    <ul
      ref={list}
      className={styles["list"]}
      style={{ height: virtualizer.getTotalSize() }}
      aria-label={formatMessage({ id: "integrations.menu" })}
    >
      {virtualizer.getVirtualItems().map(({ index, start, key }) => (
        <li
          key={key}
          ref={virtualizer.measureElement}
          data-index={index}
          className={styles["item"]}
          style={{ transform: `translateY(${start - top}px)` }}
          aria-setsize={keys.length}
          aria-posinset={index + 1}
        >
          <Row rows={rows} rowKey={keys[index] ?? ""} />
        </li>
      ))}
    </ul>
  );
}

function Row({ rows, rowKey }: { readonly rows: LiveRows<CatalogueRow>; readonly rowKey: string }) {
  const subscribe = useCallback((listener: () => void) => rows.row(rowKey).subscribe(listener), [rows, rowKey]);
  const row = useSyncExternalStore(subscribe, () => rows.get(rowKey));
  if (row === undefined) return null;
  const { key, name, systems, ownerTeam, tags, last } = row;
  const state = stateOf(row);
  return (
    <div className={styles["row"]}>
      <Status tone={toneOfRow[state]}>
        <FormattedMessage id={`integrations.state.${state}`} />
      </Status>
      <span className={styles["name"]}>
        <Link to="/integrations/$key" params={{ key }}>
          {name}
        </Link>
        <span className="quiet">{routeText(systems)}</span>
      </span>
      <span className={styles["about"]}>{[ownerTeam, ...tags.map((tag) => `#${tag}`)].filter(Boolean).join(" · ")}</span>
      {/* "never ran" is the state already. */}
      {state === "idle" ? <span className={styles["last"]} /> : <LastRun last={last} />}
    </div>
  );
}

function LastRun({ last }: Pick<CatalogueRow, "last">) {
  const times = useTimes();
  if (last === null)
    return (
      <span className={styles["last"]}>
        <FormattedMessage id="integrations.last.none" />
      </span>
    );
  const values = { state: last.state, at: times.instant(last.at) };
  return (
    <span className={styles["last"]}>
      <FormattedMessage id="integrations.last" values={values} />
    </span>
  );
}
