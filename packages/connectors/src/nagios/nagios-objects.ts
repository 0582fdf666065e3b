import { ConnectorError } from "@quiesce/sdk";
import { z } from "@quiesce/sdk";
import { ask, type NagiosContext } from "./nagios-query.js";

const hostSchema = z.object({
  name: z.string(),
  display_name: z.string().default(""),
  address: z.string().default(""),
  parent_hosts: z.array(z.string()).default([]),
  services: z.array(z.string()).default([]),
});

/** A host as it is configured, with the descriptions of its services. */
export type NagiosHost = z.output<typeof hostSchema>;

/** Hosts of one request: with a hundred thousand of them one answer would be larger than a body may be. */
const HOSTS_OF_PAGE = 1_000;

/** All hosts that the user may see, in the order of their names, page by page. */
export async function* configuredHosts(x: NagiosContext): AsyncGenerator<readonly NagiosHost[], void, void> {
  for (let start = 0; ; start += HOSTS_OF_PAGE) {
    const { data } = await ask(x, "objectjson", { query: "hostlist", details: "true", start: String(start), count: String(HOSTS_OF_PAGE) });
    const hosts = membersOf(data, "hostlist", hostSchema);
    yield hosts;
    if (hosts.length < HOSTS_OF_PAGE) return;
  }
}

/** The members of a list of a JSON CGI, which are an object by name. */
export function membersOf<T>(data: { readonly [name: string]: unknown }, list: string, schema: z.ZodType<T>): readonly T[] {
  const parsed = z.record(z.string(), schema).safeParse(data[list] ?? {});
  if (parsed.success) return Object.values(parsed.data);
  const [issue] = parsed.error.issues;
  throw new ConnectorError(
    "contract",
    `Nagios's ${list} is not of the agreed shape: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
  );
}
