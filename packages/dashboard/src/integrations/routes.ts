import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../app/root-route.js";

type Search = { readonly [name: string]: unknown };

/** The states by which the catalogue can be narrowed. */
const states = ["failing", "held", "running", "fine", "idle"] as const;
/** What lies beneath the runs of an integration. */
export const integrationTabs = ["letters", "trace", "mapping", "versions", "compare"] as const;
export type IntegrationTab = (typeof integrationTabs)[number];
/** How far back the runs of an integration are drawn. */
export const runRanges = ["15min", "1h", "6h", "24h", "7d"] as const;
export type RunRange = (typeof runRanges)[number];

const textOf = (value: unknown): string | undefined => {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
};
const given = <Value extends object>(values: Value): { readonly [name in keyof Value]?: NonNullable<Value[name]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

export const integrationsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/integrations",
  validateSearch: (search: Search) =>
    given({
      q: textOf(search["q"]),
      system: textOf(search["system"]),
      team: textOf(search["team"]),
      tag: textOf(search["tag"]),
      state: states.find((one) => one === search["state"]),
      by: search["by"] === "system" ? ("system" as const) : undefined,
    }),
  component: lazyRouteComponent(() => import("./catalogue-page.js"), "CataloguePage"),
});

export const integrationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/integrations/$key",
  validateSearch: (search: Search) =>
    given({
      tab: integrationTabs.find((one) => one === search["tab"]),
      run: textOf(search["run"]),
      range: runRanges.find((one) => one === search["range"]),
      record: textOf(search["record"]),
    }),
  component: lazyRouteComponent(() => import("./integration-page.js"), "IntegrationPage"),
});
