import type { MessageDescriptor } from "react-intl";

/** A place in the menu and in the palette. */
export interface Place {
  readonly to: string;
  readonly title: NonNullable<MessageDescriptor["id"]>;
  /** Found by the palette as well, in the reader's language. */
  readonly words?: NonNullable<MessageDescriptor["id"]>;
  /** Pages of this place whose addresses do not begin with its own. */
  readonly has?: readonly string[];
  /** Only in the palette. */
  readonly isHidden?: true;
}

/** In the order of the menu. */
export const places: readonly Place[] = [
  { to: "/", title: "now.menu" },
  { to: "/windows", title: "windows.menu", words: "windows.words", has: ["/calendar", "/plan", "/slots"] },
  { to: "/integrations", title: "integrations.menu", words: "integrations.words" },
  { to: "/topology", title: "topology.menu", words: "topology.words" },
  { to: "/incidents", title: "incidents.menu", words: "incidents.words", has: ["/alerts", "/problems", "/correlation-rules"] },
  { to: "/kpis", title: "kpis.menu", words: "kpis.words" },
  { to: "/alerts", title: "incidents.alerts.menu", isHidden: true },
  { to: "/problems", title: "incidents.problems", isHidden: true },
  { to: "/correlation-rules", title: "incidents.rules.title", isHidden: true },
  { to: "/administration", title: "administration.menu.place", words: "administration.words" },
];
