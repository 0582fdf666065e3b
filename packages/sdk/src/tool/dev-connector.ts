import { testContext } from "../testing/test-context.js";
import { callFacet } from "./call-facet.js";
import { importConnector, readPackage, readSettings } from "./load-package.js";
import type { ToolOptions } from "./tool-options.js";
import { secretMasker } from "./mask-secrets.js";

const REQUEST_TIMEOUT_MS = 30_000;

/** Calls the built connector with the author's settings, and prints what it answered, logged and asked. Secrets are masked. */
export async function devConnector(facet: string, stream: string, options: ToolOptions, print: (line: string) => void): Promise<void> {
  const connector = await importConnector(await readPackage(options.folder));
  const { config, secrets } = await readSettings(options.settings);
  const mask = secretMasker(secrets);
  const masked = (line: string): void => print(mask(line));
  const x = await testContext(connector, { config, secrets, now: new Date(), requestTimeoutMs: REQUEST_TIMEOUT_MS });
  try {
    await callFacet(connector, x, { facet, stream, limit: options.limit }, masked);
  } finally {
    for (const { level, message, fields } of x.lines) masked(`${level}: ${message} ${JSON.stringify(fields)}`);
    for (const { method, url } of x.requests) masked(`${method} ${url.href}`);
    await connector.close?.();
  }
}
