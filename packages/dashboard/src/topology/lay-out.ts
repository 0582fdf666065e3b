import { Graph, layout } from "@dagrejs/dagre";

export interface LayoutAsked {
  readonly keys: readonly string[];
  readonly arrows: readonly { readonly from: string; readonly to: string }[];
  readonly direction: "LR" | "TB";
  /** Of one box, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
}

/** The upper left corner of each box. */
export type Layout = { readonly [key: string]: { readonly x: number; readonly y: number } };

const GAP_PX = 28;
const RANK_GAP_PX = 72;

/** Ranks along the arrows; what nothing is connected with stands in rows below. */
export function layOut({ keys, arrows, direction, size }: LayoutAsked): Layout {
  const connected = new Set(arrows.flatMap(({ from, to }) => [from, to]));
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: GAP_PX, ranksep: RANK_GAP_PX });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const key of keys) if (connected.has(key)) graph.setNode(key, { ...size });
  for (const { from, to } of arrows) graph.setEdge(from, to);
  if (connected.size > 0) layout(graph);
  const places: { [key: string]: { readonly x: number; readonly y: number } } = {};
  for (const key of keys) {
    if (!connected.has(key)) continue;
    const { x, y } = graph.node(key) as { readonly x: number; readonly y: number };
    places[key] = { x: x - size.width / 2, y: y - size.height / 2 };
  }
  const corners = Object.values(places);
  const bottom = corners.length === 0 ? 0 : Math.max(...corners.map(({ y }) => y)) + size.height + RANK_GAP_PX;
  const width = Math.max(0, ...corners.map(({ x }) => x + size.width));
  const alone = keys.filter((key) => !connected.has(key));
  const usual = direction === "TB" ? 2 : Math.max(4, Math.ceil(Math.sqrt(alone.length)));
  const columns = Math.max(usual, Math.floor((width + GAP_PX) / (size.width + GAP_PX)));
  for (const [index, key] of alone.entries())
    places[key] = { x: (index % columns) * (size.width + GAP_PX), y: bottom + Math.floor(index / columns) * (size.height + GAP_PX) };
  return places;
}
