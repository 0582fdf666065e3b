import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { rootRoute } from "../app/root-route.js";

type Search = { readonly [name: string]: unknown };

/** The named parameters that are texts; others are not in the address. */
function texts<Name extends string>(search: Search, names: readonly Name[]): { readonly [name in Name]?: string } {
  const found: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = search[name];
    // The router reads 42 as a number.
    if ((typeof value === "string" && value !== "") || typeof value === "number") found[name] = String(value);
  }
  return found;
}

export const administrationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration",
  beforeLoad: () => {
    throw redirect({ to: "/administration/endpoints", replace: true });
  },
});

export const endpointsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/endpoints",
  validateSearch: (search: Search): { readonly q?: string; readonly connector?: string } => texts(search, ["q", "connector"]),
  component: lazyRouteComponent(() => import("./endpoints-page.js"), "EndpointsPage"),
});

export const endpointRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/endpoints/$key",
  component: lazyRouteComponent(() => import("./endpoint-page.js"), "EndpointPage"),
});

export const connectorsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/connectors",
  component: lazyRouteComponent(() => import("./connectors-page.js"), "ConnectorsPage"),
});

export const accountsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/accounts",
  component: lazyRouteComponent(() => import("./accounts-page.js"), "AccountsPage"),
});

export const tokensRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/tokens",
  component: lazyRouteComponent(() => import("./tokens-page.js"), "TokensPage"),
});

export const reviewsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/reviews",
  component: lazyRouteComponent(() => import("./reviews-page.js"), "ReviewsPage"),
});

export const reviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/reviews/$key",
  component: lazyRouteComponent(() => import("./review-page.js"), "ReviewPage"),
});

/** The names of what a list of the audit trail can be narrowed by, as in the address. */
const auditNames = ["actor", "action", "kind", "subject", "from", "to"] as const;

export const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/audit",
  validateSearch: (search: Search): { readonly [name in (typeof auditNames)[number]]?: string } => texts(search, auditNames),
  component: lazyRouteComponent(() => import("./audit-page.js"), "AuditPage"),
});

export const deploymentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/administration/deployment",
  component: lazyRouteComponent(() => import("./deployment-page.js"), "DeploymentPage"),
});

/** Everything of this room. */
export const administrationRoutes = [
  administrationRoute,
  endpointsRoute,
  endpointRoute,
  connectorsRoute,
  accountsRoute,
  tokensRoute,
  reviewsRoute,
  reviewRoute,
  auditRoute,
  deploymentRoute,
] as const;
