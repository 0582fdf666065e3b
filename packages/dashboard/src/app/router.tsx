import { createRouter } from "@tanstack/react-router";
import { administrationRoutes } from "../administration/routes.js";
import { alertsRoute, incidentRoute, incidentsRoute, problemRoute, problemsRoute, rulesRoute } from "../incidents/routes.js";
import { integrationRoute, integrationsRoute } from "../integrations/routes.js";
import { kpisRoute } from "../kpis/routes.js";
import { nowRoute } from "../now/routes.js";
import { calendarRoute, editWindowRoute, newWindowRoute, reportRoute, slotsRoute, windowRoute, windowsRoute } from "../windows/routes.js";
import { topologyRoute } from "../topology/routes.js";
import { CrashPage } from "./crash-page.js";
import { rootRoute } from "./root-route.js";

/** Every page. A room adds its routes here, and its place in the menu in navigation.ts. */
const routeTree = rootRoute.addChildren([
  nowRoute,
  windowsRoute,
  calendarRoute,
  newWindowRoute,
  editWindowRoute,
  windowRoute,
  reportRoute,
  slotsRoute,
  integrationsRoute,
  integrationRoute,
  topologyRoute,
  incidentsRoute,
  incidentRoute,
  alertsRoute,
  problemsRoute,
  problemRoute,
  rulesRoute,
  kpisRoute,
  ...administrationRoutes,
]);

export const router = createRouter({ routeTree, defaultPreload: "intent", scrollRestoration: true, defaultErrorComponent: CrashPage });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
