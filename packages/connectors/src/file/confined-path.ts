import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { ConnectorError, type Context } from "@quiesce/sdk";
import type { FileConfig, FileStream } from "./file-config.js";
import { fileError } from "./file-error.js";

/** A call of this connector. */
export type FileContext = Context<FileConfig, Record<string, never>>;

/** The stream of that name, or a `config` error that lists those there are. */
export function streamOf(config: FileConfig, streamName: string): FileStream {
  const stream = config.streams.find((candidate) => candidate.name === streamName);
  if (stream !== undefined) return stream;
  const names = config.streams.map((candidate) => candidate.name).join(", ");
  throw new ConnectorError("config", `There is no stream "${streamName}" in this endpoint; it has ${names}.`);
}

/**
 * The real path of a stream's file, with every symbolic link followed, or a `config` error if that is outside the base folder.
 * The file itself may be absent, its folder may not. Open it with O_NOFOLLOW: a link put there since would be refused.
 */
export async function confinedPath(x: FileContext, stream: FileStream): Promise<string> {
  const wanted = resolve(x.config.folder, stream.path);
  try {
    const base = await realpath(x.config.folder);
    const link = await isLink(wanted);
    const real = link ? await realpath(wanted) : join(await realpath(dirname(wanted)), basename(wanted));
    if (isInside(base, real)) return real;
  } catch (thrown) {
    throw fileError(thrown, wanted, x.signal);
  }
  throw new ConnectorError(
    "config",
    `${wanted} leads outside the folder ${x.config.folder} through a symbolic link. Put the file itself there.`,
    {
      field: stream.name,
    },
  );
}

async function isLink(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isSymbolicLink() ?? false;
}

function isInside(base: string, path: string): boolean {
  const way = relative(base, path);
  return way !== "" && way !== ".." && !/^\.\.[/\\]/u.test(way) && !isAbsolute(way);
}
