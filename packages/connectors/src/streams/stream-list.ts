import { ConnectorError, z } from "@quiesce/sdk";

/** An endpoint has no more streams than this. */
const MAX_STREAMS = 200;

/** The list of an endpoint's streams, each with a name of its own. */
export function streamList<T extends z.ZodType<{ readonly name: string }>>(stream: T): z.ZodArray<T> {
  return z
    .array(stream)
    .min(1)
    .max(MAX_STREAMS)
    .refine((streams) => new Set(streams.map((one) => one.name)).size === streams.length, { message: "has two streams of one name" });
}

/** The stream of that name, or a `config` error that lists those there are. */
export function namedStream<T extends { readonly name: string }>(streams: readonly T[], name: string): T {
  const stream = streams.find((candidate) => candidate.name === name);
  if (stream !== undefined) return stream;
  const names = streams.map((candidate) => candidate.name).join(", ");
  throw new ConnectorError("config", `There is no stream "${name}" in this endpoint; it has ${names}.`);
}

/** What a stream's configuration has of one direction, or a `config` error that says it has not. */
export function neededPart<T>(
  part: T | undefined,
  options: { readonly stream: string; readonly what: string; readonly without: string },
): T {
  if (part !== undefined) return part;
  throw new ConnectorError(
    "config",
    `The stream "${options.stream}" has no ${options.what} in its configuration, so it is ${options.without}.`,
  );
}
