import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../app/root-route.js";
import { type KpiSearch, kpiSearch } from "./search.js";

export const kpisRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/kpis",
  validateSearch: (search: { readonly [name: string]: unknown }): KpiSearch => kpiSearch(search),
  component: lazyRouteComponent(() => import("./kpis-page.js"), "KpisPage"),
});
