import { Link } from "@tanstack/react-router";
import { FormattedMessage, FormattedNumber, useIntl } from "react-intl";
import { SystemStatus } from "./state-words.js";
import { systemWords } from "./system-state.js";
import type { Standing } from "./topology-page.js";
import styles from "./topology.module.css";

const columns = ["system", "state", "needs", "needed-by", "all", "held", "failing"] as const;

/** The drawing in words: whoever cannot see arrows reads them. What is in trouble comes first. */
export function SystemsTable({ standing }: { readonly standing: readonly Standing[] }) {
  const { formatMessage } = useIntl();
  const label = formatMessage({ id: "topology.drawing" });
  const names = new Map(standing.map(({ system }) => [system.key, system.name]));
  const neededBy = new Map<string, string[]>();
  for (const { system } of standing)
    for (const { system: needed } of system.dependencies) neededBy.set(needed.key, [...(neededBy.get(needed.key) ?? []), system.name]);
  const rank = ({ state }: Standing) => systemWords.indexOf(state.word);
  const sorted = standing.toSorted((a, b) => rank(a) - rank(b) || a.system.name.localeCompare(b.system.name));
  return (
    <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={label}>
      <table className={styles["table"]}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" className={index > 3 ? styles["number"] : undefined}>
                {formatMessage({ id: `topology.column.${column}` })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ system, state }) => {
            const { key, name, dependencies, integrationCounts: counts } = system;
            return (
              <tr key={key}>
                <th scope="row">
                  <Link to="/topology" search={{ system: key, view: "table" }}>
                    {name}
                  </Link>
                </th>
                <td>
                  <SystemStatus state={state} />
                </td>
                <td>
                  {dependencies.length === 0
                    ? "–"
                    : dependencies.map(({ system: needed, strength }, index) => (
                        <span key={needed.key}>
                          {index === 0 ? "" : ", "}
                          {names.get(needed.key) ?? needed.key}
                          {strength === "SOFT" ? (
                            <span className="quiet">
                              {" "}
                              <FormattedMessage id="topology.soft" />
                            </span>
                          ) : null}
                        </span>
                      ))}
                </td>
                <td>{(neededBy.get(key) ?? ["–"]).join(", ")}</td>
                {[counts.all, counts.held, counts.failing].map((count, index) => (
                  <td key={columns[index + 4]} className={styles["number"]}>
                    <FormattedNumber value={count} />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
