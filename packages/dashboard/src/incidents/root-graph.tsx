import { useMemo, useState } from "react";
import { useIntl } from "react-intl";
import { type GraphArrow, type GraphNode, SystemGraph } from "../topology/system-graph.js";
import type { AlertGroup } from "./alert-groups.js";
import type { Stop } from "./root-paths.js";
import styles from "./incidents.module.css";

interface Drawing {
  readonly nodes: readonly GraphNode[];
  readonly arrows: readonly GraphArrow[];
}

/** The root and the ways that lead to it as boxes and arrows; the same stands in words below. */
export function RootGraph(props: {
  readonly paths: readonly (readonly Stop[])[];
  readonly root: string;
  readonly groups: readonly AlertGroup[];
}) {
  const { paths, root, groups } = props;
  const { formatMessage } = useIntl();
  const [chosen, setChosen] = useState<string | null>(null);
  const stops = new Map(paths.flat().map((stop) => [stop.key, stop]));
  const nodes = [...stops.values()].map(({ key, name }): GraphNode => {
    const group = groups.find(({ node }) => node === key);
    const words = formatMessage({ id: "incidents.path.alerts" }, { count: group?.alerts.length ?? 0 });
    return {
      id: key,
      title: name,
      tone: (group?.firing ?? 0) > 0 ? "failing" : "quiet",
      word: key === root ? formatMessage({ id: "incidents.root.box" }, { alerts: words }) : words,
    };
  });
  const arrows = new Map<string, GraphArrow>();
  for (const path of paths)
    for (const [index, { key }] of path.slice(1).entries()) {
      const from = path[index]?.key ?? key;
      arrows.set(`${from} ${key}`, { from, to: key, isSoft: false, isMarked: true });
    }
  // Boxes that are new objects are measured anew, and their arrows vanish for that moment: what says the same stays the same.
  const key = JSON.stringify({ nodes, arrows: [...arrows.values()] } satisfies Drawing);
  const drawing = useMemo(() => JSON.parse(key) as Drawing, [key]);
  return (
    <div className={styles["graph"]}>
      <SystemGraph label={formatMessage({ id: "incidents.graph" })} {...drawing} chosen={chosen ?? root} onChoose={setChosen} />
    </div>
  );
}
