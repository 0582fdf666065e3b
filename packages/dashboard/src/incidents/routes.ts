import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../app/root-route.js";
import { type AlertFilters, alertFilters, type IncidentFilters, incidentFilters } from "./filters.js";

type Search = { readonly [name: string]: unknown };

export const incidentsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/incidents",
  validateSearch: (search: Search): IncidentFilters => incidentFilters(search),
  component: lazyRouteComponent(() => import("./incidents-page.js"), "IncidentsPage"),
});

export const incidentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/incidents/$key",
  component: lazyRouteComponent(() => import("./incident-page.js"), "IncidentPage"),
});

export const alertsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/alerts",
  validateSearch: (search: Search): AlertFilters => alertFilters(search),
  component: lazyRouteComponent(() => import("./alerts-page.js"), "AlertsPage"),
});

export const problemsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/problems",
  validateSearch: (search: Search): { readonly closed?: true } => (search["closed"] === true ? { closed: true } : {}),
  component: lazyRouteComponent(() => import("./problems-page.js"), "ProblemsPage"),
});

export const problemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/problems/$key",
  component: lazyRouteComponent(() => import("./problem-page.js"), "ProblemPage"),
});

export const rulesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/correlation-rules",
  component: lazyRouteComponent(() => import("./rules-page.js"), "RulesPage"),
});
