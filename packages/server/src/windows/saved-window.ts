import type { RequestContext } from "../graphql/request-context.js";
import { type WindowView, windowByKey } from "./queries.js";

/** The window as it stands after a command, for the mutation's answer. */
export async function savedWindow(context: RequestContext, result: { readonly key: string }): Promise<WindowView> {
  const window = await windowByKey(context.database, result);
  if (window === null) throw new Error(`Window ${result.key} was saved and is gone.`);
  return window;
}
