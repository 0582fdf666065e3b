import { parse } from "@formatjs/icu-messageformat-parser";
import type { Plugin } from "vite";

/** Messages are parsed when the page is built: neither the parser nor its time is the reader's. */
export function compiledMessages(): Plugin {
  return {
    name: "compiled-messages",
    enforce: "pre",
    transform(code, id) {
      if (!/\/messages\/[a-z]{2}\/[a-z-]+\.json$/.test(id)) return null;
      const messages = Object.entries(JSON.parse(code) as { readonly [id: string]: string });
      const parsed = messages.map(([name, text]) => [name, parse(text, { captureLocation: false })]);
      return { code: `export default ${JSON.stringify(Object.fromEntries(parsed))};`, map: null, moduleType: "js" };
    },
  };
}
