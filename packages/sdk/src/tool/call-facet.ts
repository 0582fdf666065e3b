import type { Connector, Context, SourceRecord } from "../index.js";

/** What `dev` and `record` can call. */
export const CALLABLE = ["check", "streams", "read"] as const;

/** Calls one facet and prints its answer. Nothing is changed in the system. */
export async function callFacet(
  connector: Connector,
  x: Context,
  call: { readonly facet: string; readonly stream: string; readonly limit: number },
  print: (line: string) => void,
): Promise<void> {
  const { facet, stream, limit } = call;
  switch (facet) {
    case "check":
      if (connector.check === undefined) throw new Error(`${connector.id} has no check.`);
      return print(pretty(await connector.check(x)));
    case "streams":
      if (connector.streams === undefined) throw new Error(`${connector.id} has no streams.`);
      for (const one of await connector.streams(x))
        print(`${one.name}  key ${one.key.join(", ")}  cursor ${one.cursor}  deletes ${one.deletes}`);
      return;
    case "read":
      return readSome(connector, x, { stream: stream === "" ? await firstStream(connector, x) : stream, limit }, print);
    default:
      throw new Error(`found "${facet}", expected one of ${CALLABLE.join(", ")}`);
  }
}

async function firstStream(connector: Connector, x: Context): Promise<string> {
  const [first] = (await connector.streams?.(x)) ?? [];
  if (first === undefined) throw new Error("Say which stream to read: quiesce-connector dev read <stream>");
  return first.name;
}

async function readSome(
  connector: Connector,
  x: Context,
  { stream, limit }: { readonly stream: string; readonly limit: number },
  print: (line: string) => void,
): Promise<void> {
  if (connector.read === undefined) throw new Error(`${connector.id} does not read.`);
  let count = 0;
  for await (const page of connector.read(x, { stream, cursor: null, pageSize: limit })) {
    for (const record of page.records.slice(0, limit - count)) print(lineOf(record));
    count += page.records.length;
    print(`-- ${page.records.length} records, cursor ${JSON.stringify(page.cursor)}, ${page.more ? "there is more" : "that is all"}`);
    if (count >= limit || !page.more) return;
  }
}

function lineOf({ key, op = "upsert", data }: SourceRecord): string {
  return `${op === "delete" ? "- " : "+ "}${key}  ${JSON.stringify(data)}`;
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
