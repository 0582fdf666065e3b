import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "../app/root-route.js";
import { type CalendarView, calendarViews } from "./calendar-views.js";

type Search = { readonly [name: string]: unknown };

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
/** The named parameters that are texts; others are not in the address. */
function texts<Name extends string>(search: Search, names: readonly Name[]): { readonly [name in Name]?: string } {
  const found: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = textOf(search[name]);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

export const windowsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/windows",
  validateSearch: (search: Search): { readonly q?: string; readonly cancelled?: true } => ({
    ...texts(search, ["q"]),
    ...(search["cancelled"] === true ? { cancelled: true } : {}),
  }),
  component: lazyRouteComponent(() => import("./windows-page.js"), "WindowsPage"),
});

export const calendarRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/calendar",
  validateSearch: (search: Search): { readonly view?: CalendarView; readonly date?: string; readonly zone?: string } => {
    const view = calendarViews.find((one) => one === search["view"]);
    return { ...(view === undefined ? {} : { view }), ...texts(search, ["date", "zone"]) };
  },
  component: lazyRouteComponent(() => import("./calendar-page.js"), "CalendarPage"),
});

/** Outside /windows, so that a window may have any key. */
export const newWindowRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/plan",
  validateSearch: (search: Search): { readonly start?: string; readonly end?: string; readonly zone?: string } =>
    texts(search, ["start", "end", "zone"]),
  component: lazyRouteComponent(() => import("./editor-page.js"), "NewWindowPage"),
});

export const editWindowRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/plan/$key",
  component: lazyRouteComponent(() => import("./editor-page.js"), "EditWindowPage"),
});

export const windowRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/windows/$key",
  component: lazyRouteComponent(() => import("./window-page.js"), "WindowPage"),
});

export const reportRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/windows/$key/report",
  validateSearch: (search: Search): { readonly at?: string } => texts(search, ["at"]),
  component: lazyRouteComponent(() => import("./report-page.js"), "ReportPage"),
});

export const slotsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/slots",
  component: lazyRouteComponent(() => import("./slots-page.js"), "SlotsPage"),
});
