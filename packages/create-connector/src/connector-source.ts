/** The connector that a project begins with: reads items by (time, id). */
export function connectorSource({ id }: { readonly id: string }): string {
  return `import { ConnectorError, defineConnector, httpError, readText, z, type Context, type Cursor } from "@quiesce/sdk";

const health = z.object({ version: z.string() });
const itemPage = z.object({
  items: z.array(z.object({ id: z.string(), changedAt: z.string(), name: z.string() })),
  more: z.boolean(),
});

type X = Context<{ url: string }, { token: string }>;

export default defineConnector({
  apiVersion: 1,
  id: "${id}",
  version: "0.1.0",
  displayName: "${id}",
  stability: "experimental",
  config: z.object({ url: z.url().describe("Where the system is, such as https://erp.example.com.") }),
  secrets: z.object({ token: z.string().min(1) }),
  egress: ({ url }) => [new URL(url).origin],
  // The host adds it to every request of x.fetch.
  auth: (_config, { token }) => ({ kind: "bearer", token }),
  check: async (x) => ({ status: "up", version: (await ask(x, "/health", health)).version }),
  streams: async () => [{ name: "items", schema: { type: "object" }, key: ["id"], cursor: "incremental", deletes: "none" }],
  async *read(x, request) {
    if (request.stream !== "items") throw new ConnectorError("config", \`There is no stream "\${request.stream}"; there is items.\`);
    if (request.from !== undefined || request.to !== undefined) throw new ConnectorError("config", "A range of time cannot be read.");
    // Many items may share one time: time and id together say where reading goes on.
    let { at, id } = startOf(x, request.cursor);
    for (;;) {
      const query = new URLSearchParams({ after: at, afterId: id, limit: String(request.pageSize) });
      const { items, more } = await ask(x, \`/items?\${query.toString()}\`, itemPage);
      const last = items.at(-1);
      if (last !== undefined) ({ changedAt: at, id } = last);
      yield { records: items.map((item) => ({ key: item.id, at: item.changedAt, data: item })), cursor: { at, id }, more };
      if (!more) return;
    }
  },
});

const AN_HOUR_MS = 3_600_000;

/** A cursor from the future would be silent until then: begin again. */
function startOf(x: X, cursor: Cursor | null): { at: string; id: string } {
  const { at, id } = cursor ?? {};
  const good = typeof at === "string" && typeof id === "string" && !(Date.parse(at) > x.clock.now().getTime() + AN_HOUR_MS);
  return good ? { at, id } : { at: "", id: "" };
}

async function ask<T extends z.ZodType>(x: X, path: string, shape: T): Promise<z.output<T>> {
  const response = await x.fetch(x.config.url.replace(/\\/+$/u, "") + path, { signal: x.signal, redirect: "manual" });
  const text = await readText(response, x.signal);
  if (!response.ok) throw httpError({ status: response.status, headers: response.headers, text }, \`GET \${path}\`, x.clock.now());
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new ConnectorError("contract", \`GET \${path} was answered with something that is not JSON.\`, { cause });
  }
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ConnectorError("contract", \`GET \${path} was answered with JSON of another shape: \${parsed.error.issues[0]?.message ?? ""}\`);
}
`;
}
