const MAX_LENGTH = 2_000;
/** Only to be parsed against: whatever leads away from it leads away from us. */
const BASE = "http://own.invalid";

/** Where a browser goes after signing in: a path of our own, or `otherwise`. Another site's address, however spelled, is none; nor are the sign-in pages. */
export function returnPath(wanted: string | null | undefined, otherwise: string): string {
  if (wanted === null || wanted === undefined || wanted.length > MAX_LENGTH) return otherwise;
  // Browsers read \ as /, and leave out tabs and line ends, before they look whether a host follows.
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(wanted) || !URL.canParse(wanted, BASE)) return otherwise;
  const { origin, pathname, search, hash } = new URL(wanted, BASE);
  if (origin !== BASE || pathname.startsWith("//") || pathname.startsWith("/auth/")) return otherwise;
  return `${pathname}${search}${hash}`;
}
