/** A value that survives JSON unchanged. Dates, decimals and bytes travel as strings: say in the stream's schema which form they have. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [name: string]: Json };
