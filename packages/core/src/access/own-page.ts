/** What a browser says about the page that asks. */
export interface Asker {
  readonly method: string;
  /** Header Origin; undefined: not sent. */
  readonly origin: string | undefined;
  /** Header Sec-Fetch-Site; undefined: an old browser, or none. */
  readonly fetchSite: string | undefined;
}

/**
 * Whether a request that shows only a cookie comes from a page of our own. A browser adds the cookie whoever asks, so the cookie alone says
 * nothing: an Origin has to be ours, and where none is sent (a GET of the same site, an address typed in) the browser's word on the site. Without
 * either word only reading is allowed, whose answer another site cannot see.
 */
export function isOwnPage(asker: Asker, ownOrigins: readonly string[]): boolean {
  const { method, origin, fetchSite } = asker;
  if (origin !== undefined) return ownOrigins.includes(origin);
  const reads = method === "GET" || method === "HEAD";
  if (fetchSite === undefined) return reads;
  return fetchSite === "same-origin" || (reads && fetchSite === "none");
}
