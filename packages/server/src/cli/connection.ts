import { readFile } from "node:fs/promises";
import { CliError } from "./cli-error.js";
import type { Connection } from "./cli.js";
import type { CliEnvironment } from "./environment.js";

const DEFAULT_URL = "http://127.0.0.1:4000";

/** Where the server is and which token to show: the options first, then the environment, then what a server on this machine left behind. */
export async function findConnection(
  options: { readonly url?: string | undefined; readonly token?: string | undefined },
  environment: CliEnvironment,
): Promise<Connection> {
  const text = options.url ?? environment.url ?? DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new CliError("usage", `The server's address is "${text}". Expected http://host:port or https://host, in --url or QUIESCE_URL.`);
  }
  if (url.username !== "" || url.password !== "")
    throw new CliError("usage", "The server's address must not hold a user or password. Give the token in QUIESCE_TOKEN.");
  const href = url.href.replace(/\/$/, "");
  if (options.token !== undefined) return { url: href, token: options.token, tokenSource: "--token" };
  if (environment.token !== undefined) return { url: href, token: environment.token, tokenSource: "QUIESCE_TOKEN" };
  // The file holds an admin's token of this machine: no other machine may be shown it.
  const found = isLoopback(url.hostname) ? await tokenFromFile(environment.tokenFiles) : undefined;
  return { url: href, token: found?.token, tokenSource: found?.file ?? "nowhere" };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

async function tokenFromFile(files: readonly string[]): Promise<{ readonly token: string; readonly file: string } | undefined> {
  for (const file of files) {
    try {
      const token = (await readFile(file, "utf8")).trim();
      if (token !== "") return { token, file };
    } catch (error) {
      // No such file, or not for this user: the server's own message then says that a token is missing.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  return undefined;
}
