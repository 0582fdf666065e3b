/** What a refusal means for whoever types: the option that answers it. The server's own words name no options, for forms and programs read them too. */
const hints: { readonly [code: string]: string } = {
  QSC_WINDOW_IN_FREEZE: '(--override-freeze "…" overrides it.)',
  QSC_WINDOW_LONG: "(If it is meant: --confirm-long)",
};

/** The hint for an error of that code, with a blank before it; empty where there is none. */
export function refusalHint(code: string | undefined): string {
  const hint = code !== undefined && Object.hasOwn(hints, code) ? hints[code] : undefined;
  return hint === undefined ? "" : ` ${hint}`;
}
