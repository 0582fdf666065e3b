import { lazy, Suspense } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import type { AlertGroup } from "./alert-groups.js";
import type { ShownIncident } from "./incident-sentence.js";
import { pathsToRoot, type Stop, type TouchedSystem } from "./root-paths.js";
import styles from "./incidents.module.css";

/** The graph's libraries come when there is something to draw. */
const RootGraph = lazy(() => import("./root-graph.js").then(({ RootGraph: component }) => ({ default: component })));

const SHOWN_PATHS = 12;

/** Where it probably comes from, and the ways by which the symptoms lead there. */
export function Root({
  incident,
  systems,
  groups,
}: {
  readonly incident: ShownIncident;
  readonly systems: readonly TouchedSystem[];
  readonly groups: readonly AlertGroup[];
}) {
  const { formatMessage } = useIntl();
  const { root, system, alertCount } = incident;
  const name = system?.key === root ? system.name : root;
  const paths = pathsToRoot(systems, { root, alerts: groups.flatMap(({ alerts }) => alerts) });
  return (
    <section>
      <h2>
        <FormattedMessage id="incidents.root" />
      </h2>
      <p className={styles["root"]}>
        <FormattedMessage id="incidents.root.sentence" values={{ root: name, alerts: alertCount, systems: Math.max(1, groups.length) }} />
      </p>
      {paths.length === 0 ? null : (
        <>
          <Suspense>
            <RootGraph paths={paths.slice(0, SHOWN_PATHS)} root={root} groups={groups} />
          </Suspense>
          <ul className={styles["paths"]} aria-label={formatMessage({ id: "incidents.paths" })}>
            {paths.slice(0, SHOWN_PATHS).map((path) => (
              <li key={path[0]?.key}>
                <Path path={path} groups={groups} />
              </li>
            ))}
          </ul>
          {paths.length > SHOWN_PATHS ? (
            <p className="quiet">
              <FormattedMessage id="windows.more" values={{ count: paths.length - SHOWN_PATHS }} />
            </p>
          ) : null}
        </>
      )}
    </section>
  );
}

/** Shop needs ERP: the symptom at the left, the root at the right. */
function Path({ path, groups }: { readonly path: readonly Stop[]; readonly groups: readonly AlertGroup[] }) {
  return (
    <span className={styles["path"]}>
      {path.map(({ key, name }, index) => {
        const group = groups.find(({ node }) => node === key);
        return (
          <span key={key} className={styles["stop"]}>
            {index === 0 ? null : (
              <span className={styles["arrow"]}>
                <span className="hidden">
                  <FormattedMessage id="incidents.needs" />
                </span>
                <span aria-hidden="true">→</span>
              </span>
            )}
            <span className={index === path.length - 1 ? styles["stop-root"] : styles["stop-name"]}>
              {name}
              {group === undefined ? null : (
                <span className="quiet">
                  {" "}
                  <FormattedMessage id="incidents.path.alerts" values={{ count: group.alerts.length }} />
                </span>
              )}
            </span>
          </span>
        );
      })}
    </span>
  );
}
