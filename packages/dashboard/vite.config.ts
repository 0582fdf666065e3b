import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { compiledMessages } from "./tool/compiled-messages.js";

const noParser = fileURLToPath(import.meta.resolve("@formatjs/icu-messageformat-parser/no-parser.js"));

/** React Aria brings some thirty languages; the page has two. */
function twoLanguages(): Plugin {
  return {
    name: "two-languages",
    enforce: "pre",
    load(id) {
      const name = /react-(?:aria|stately)[^?]*\/intl\/.*?([a-z]{2}-[A-Z]{2})\.(?:mjs|js|json)$/.exec(id)?.[1];
      return name === undefined || name === "en-US" || name === "es-ES" ? null : "export default {};";
    },
  };
}

export default defineConfig({
  plugins: [react(), compiledMessages(), twoLanguages()],
  // The server puts its own nonce into each answer.
  html: { cspNonce: "QUIESCE_NONCE" },
  json: { namedExports: false },
  resolve: { alias: [{ find: /^@formatjs\/icu-messageformat-parser$/, replacement: noParser }] },
  build: {
    target: "es2023",
    cssTarget: "chrome123",
    // Data URLs of scripts and styles are what the content policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
});
