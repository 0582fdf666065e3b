import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../app/root-route.js";

/** Outside /systems and /integrations: it is about all of them. `system`: the one that is looked at. */
export const topologyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/topology",
  validateSearch: (search: { readonly [name: string]: unknown }): { readonly system?: string; readonly view?: "table" } => ({
    ...(typeof search["system"] === "string" && search["system"] !== "" ? { system: search["system"] } : {}),
    ...(search["view"] === "table" ? { view: "table" as const } : {}),
  }),
  component: lazyRouteComponent(() => import("./topology-page.js"), "TopologyPage"),
});
