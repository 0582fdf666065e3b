import {
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useEffect, useMemo } from "react";
import { useIntl } from "react-intl";
import { StatusGlyph, type StatusTone } from "../components/status.js";
import styles from "./system-graph.module.css";
import { useLayout } from "./use-layout.js";

/** A box: what it is called, and its state by colour, glyph and word. */
export interface GraphNode {
  readonly id: string;
  readonly title: string;
  readonly tone: StatusTone;
  readonly word: string;
}
/** An arrow from what needs to what is needed; marked ones stand out. */
export interface GraphArrow {
  readonly from: string;
  readonly to: string;
  readonly isSoft: boolean;
  readonly isMarked?: boolean;
}
interface GraphProps {
  readonly label: string;
  readonly nodes: readonly GraphNode[];
  readonly arrows: readonly GraphArrow[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

type BoxNode = Node<{ readonly box: GraphNode; readonly isChosen: boolean; readonly direction: "LR" | "TB" }, "box">;

/** A line of title, and two of what state it is in: some languages need them. */
const SIZE = { width: 190, height: 80 };
/** On a phone words are to be read; what does not fit is reached by a finger. */
const LEAST_ZOOM = 0.7;
const NARROW = "(max-width: 48rem)";
const nodeTypes = { box: Box };

/** Boxes with arrows. Tab goes from box to box, Enter chooses one; whoever sees no picture finds the same in a table beside. */
export function SystemGraph(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Drawn {...props} />
    </ReactFlowProvider>
  );
}

function Drawn({ label, nodes, arrows, chosen, onChoose }: GraphProps) {
  const { formatMessage } = useIntl();
  const { fitView } = useReactFlow();
  const direction = useMemo(() => (matchMedia(NARROW).matches ? ("TB" as const) : ("LR" as const)), []);
  const layout = useLayout({
    keys: nodes.map(({ id }) => id),
    arrows: arrows.map(({ from, to }) => ({ from, to })),
    direction,
    size: SIZE,
  });
  useEffect(() => {
    // One frame later the boxes are where they should be.
    const isNarrow = direction === "TB";
    const shown = chosen !== null && isNarrow && layout?.[chosen] !== undefined ? { nodes: [{ id: chosen }] } : {};
    const frame = requestAnimationFrame(() => void fitView({ ...shown, minZoom: isNarrow ? LEAST_ZOOM : 0.2, maxZoom: 1, padding: 0.05 }));
    return () => cancelAnimationFrame(frame);
    // What is chosen later does not move the drawing.
  }, [layout, fitView, direction]);
  const boxes = useMemo(
    () =>
      nodes.flatMap((node): readonly BoxNode[] => {
        const position = layout?.[node.id];
        if (position === undefined) return [];
        const data = { box: node, isChosen: node.id === chosen, direction };
        return [{ id: node.id, type: "box", position, data, ...SIZE, ariaRole: "presentation", focusable: false }];
      }),
    [nodes, layout, chosen, direction],
  );
  const titles = useMemo(() => new Map(nodes.map(({ id, title }) => [id, title])), [nodes]);
  const edges = arrows.map(({ from, to, isSoft, isMarked = false }): Edge => ({
    id: `${from} ${to}`,
    source: from,
    target: to,
    className: [styles["arrow"], isSoft && styles["arrow-soft"], isMarked && styles["arrow-marked"]].filter(Boolean).join(" "),
    markerEnd: { type: MarkerType.ArrowClosed, width: 18, height: 18, color: isMarked ? "var(--failing)" : "var(--control-line)" },
    ariaLabel: formatMessage(
      { id: isSoft ? "topology.arrow.soft" : "topology.arrow" },
      { from: titles.get(from) ?? from, to: titles.get(to) ?? to },
    ),
  }));
  return (
    <div className={styles["graph"]} role="group" aria-label={label}>
      <ReactFlow
        nodes={boxes}
        edges={edges}
        nodeTypes={nodeTypes}
        onNodeClick={(_event, { id }) => onChoose(id)}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        minZoom={0.2}
        maxZoom={1.5}
        proOptions={{ hideAttribution: true }}
        // On a phone one finger scrolls the page.
        preventScrolling={false}
        zoomOnScroll={false}
        panOnScroll={false}
      >
        <Background color="var(--line)" gap={24} />
      </ReactFlow>
      {/* Below the drawing, not upon it: no box lies under them, however small the page. */}
      <Controls
        orientation="horizontal"
        showInteractive={false}
        aria-label={formatMessage({ id: "topology.controls" })}
        className={styles["controls"] ?? ""}
      />
    </div>
  );
}

function Box({ data, positionAbsoluteX: x, positionAbsoluteY: y }: NodeProps<BoxNode>) {
  const { getZoom, setCenter } = useReactFlow();
  const { isChosen, direction } = data;
  const { title, tone, word } = data.box;
  const isAcross = direction === "LR";
  return (
    <>
      <Handle type="target" position={isAcross ? Position.Left : Position.Top} className={styles["handle"] ?? ""} isConnectable={false} />
      <button
        type="button"
        className={`${styles["box"]} ${styles[`box-${tone}`] ?? ""}`}
        aria-pressed={isChosen}
        onFocus={({ currentTarget }) => {
          // By keyboard one may come to a box that is out of sight.
          if (!currentTarget.matches(":focus-visible")) return;
          void setCenter(x + SIZE.width / 2, y + SIZE.height / 2, { zoom: getZoom() });
        }}
      >
        <span className={styles["title"]}>{title}</span>
        <span className={`status status-${tone}`}>
          <StatusGlyph tone={tone} />
          {word}
        </span>
      </button>
      <Handle
        type="source"
        position={isAcross ? Position.Right : Position.Bottom}
        className={styles["handle"] ?? ""}
        isConnectable={false}
      />
    </>
  );
}
