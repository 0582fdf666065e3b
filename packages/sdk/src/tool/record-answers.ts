import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectorFetch } from "../index.js";
import { testContext } from "../testing/test-context.js";
import { callFacet } from "./call-facet.js";
import { importConnector, readPackage, readSettings } from "./load-package.js";
import type { ToolOptions } from "./tool-options.js";
import { secretMasker } from "./mask-secrets.js";

const REQUEST_TIMEOUT_MS = 30_000;
/** Headers that say who asked, or that change with each answer. */
const LEFT_OUT = ["authorization", "cookie", "set-cookie", "proxy-authorization", "date", "x-request-id"];

/** One request with its answer, as it is saved. */
export interface RecordedAnswer {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Calls a facet and saves every answer of the system as a file of JSON: `01-GET-orders.json`. Values of secrets are masked wherever they stand. */
export async function recordAnswers(facet: string, stream: string, options: ToolOptions, print: (line: string) => void): Promise<void> {
  const connector = await importConnector(await readPackage(options.folder));
  const { config, secrets } = await readSettings(options.settings);
  const mask = secretMasker(secrets);
  const answers: RecordedAnswer[] = [];
  const x = await testContext(connector, { config, secrets, now: new Date(), requestTimeoutMs: REQUEST_TIMEOUT_MS });
  try {
    await callFacet(connector, { ...x, fetch: recording(x.fetch, answers) }, { facet, stream, limit: options.limit }, (line) =>
      print(mask(line)),
    );
  } finally {
    await connector.close?.();
  }
  await mkdir(options.out, { recursive: true });
  for (const [index, answer] of answers.entries()) {
    const name = `${String(index + 1).padStart(2, "0")}-${answer.method}-${
      mask(answer.path)
        .split("?")[0]
        ?.replaceAll(/[^\w.-]+/gu, "-")
        .replaceAll(/^-|-$/gu, "") ?? ""
    }.json`;
    await writeFile(join(options.out, name), `${mask(JSON.stringify(answer, null, 2))}\n`);
    print(`saved ${join(options.out, name)}`);
  }
}

function recording(fetch: ConnectorFetch, answers: RecordedAnswer[]): ConnectorFetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const body = await response.text();
    const { pathname, search } = new URL(url);
    const headers = Object.fromEntries([...response.headers].filter(([name]) => !LEFT_OUT.includes(name)));
    answers.push({ method: init?.method ?? "GET", path: pathname + search, status: response.status, headers, body });
    const copy = new Response([101, 204, 205, 304].includes(response.status) ? null : body, {
      status: response.status,
      headers: response.headers,
    });
    Object.defineProperty(copy, "url", { value: response.url });
    return copy;
  };
}
