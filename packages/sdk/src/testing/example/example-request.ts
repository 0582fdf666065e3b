import { ConnectorError, httpError, readText, z, type Context, type FetchOptions } from "../../index.js";

/** What the example's calls are given. */
export type ExampleContext = Context<{ url: string; pageSize: number }, { token: string; webhookSecret: string }>;

/** Asks the system and parses what it answers. */
export async function ask<T extends z.ZodType>(
  x: ExampleContext,
  path: string,
  shape: T,
  options: FetchOptions = {},
): Promise<z.output<T>> {
  const what = `${options.method ?? "GET"} ${path.split("?")[0] ?? path}`;
  const response = await x.fetch(x.config.url.replace(/\/+$/u, "") + path, { redirect: "manual", signal: x.signal, ...options });
  const text = await readText(response, x.signal);
  if (!response.ok) throw httpError({ status: response.status, headers: response.headers, text }, what, x.clock.now());
  if (response.status === 204) return shape.parse(undefined);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConnectorError("contract", `${what} was answered with something that is not JSON.`, { cause });
  }
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ConnectorError("contract", `${what} was answered with JSON of another shape: ${parsed.error.issues[0]?.message ?? ""}`);
}
