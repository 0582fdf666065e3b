import { createRootRoute } from "@tanstack/react-router";
import { NotFoundPage } from "./not-found-page.js";
import { Shell } from "./shell.js";

/** What every page is in. `wall`: for a screen on a wall, larger and without controls. */
export const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFoundPage,
  validateSearch: (search: { readonly [name: string]: unknown }): { readonly wall?: true } =>
    search["wall"] === true || search["wall"] === 1 ? { wall: true } : {},
});
