import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { ConnectorError } from "@quiesce/sdk";

/** What a pipe takes in one piece (POSIX asks for 512, Linux gives 4096): longer writes may mix with those of other programs. */
const PIPE_BUF_BYTES = 4_096;

/** Writes lines into a command FIFO, several in a piece, none torn apart. Never waits for a reader: without one Nagios is down. */
export async function writeCommandFile(path: string, lines: readonly string[]): Promise<void> {
  const pieces = piecesOf(lines);
  const fifo = await openFifo(path);
  try {
    // A plain file would simply keep what is written to it, and nobody would read it.
    if (!(await fifo.stat()).isFIFO()) {
      throw new ConnectorError("config", `${path} is not a FIFO: Nagios has not made its command file there.`, { field: "commandFile" });
    }
    for (const [index, piece] of pieces.entries()) await writePiece(fifo, piece, { path, isFirst: index === 0 });
  } finally {
    await fifo.close();
  }
}

function piecesOf(lines: readonly string[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let piece = "";
  for (const line of lines) {
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > PIPE_BUF_BYTES) {
      throw new ConnectorError(
        "invalid",
        `A command of ${bytes} bytes is too long for Nagios's FIFO, which takes ${PIPE_BUF_BYTES} in one piece.`,
      );
    }
    if (Buffer.byteLength(piece) + bytes > PIPE_BUF_BYTES) {
      pieces.push(Buffer.from(piece));
      piece = "";
    }
    piece += `${line}\n`;
  }
  if (piece !== "") pieces.push(Buffer.from(piece));
  return pieces;
}

async function openFifo(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENXIO") throw new ConnectorError("unavailable", `Nobody reads ${path}: Nagios is not running.`, { status: code, cause });
    if (code === "EACCES" || code === "EPERM")
      throw new ConnectorError("permission", `This process may not write to ${path}. Add its user to the group of the file.`, {
        status: code,
        field: "commandFile",
        cause,
      });
    // Nagios makes the FIFO when it starts and removes it when it stops.
    if (code === "ENOENT")
      throw new ConnectorError("unavailable", `There is no ${path}: Nagios is not running, or writes it elsewhere.`, {
        status: code,
        field: "commandFile",
        cause,
      });
    throw new ConnectorError("config", `${path} cannot be opened: ${String(code ?? cause)}.`, { field: "commandFile", cause });
  }
}

async function writePiece(fifo: FileHandle, piece: Buffer, about: { readonly path: string; readonly isFirst: boolean }): Promise<void> {
  try {
    await fifo.write(piece);
  } catch (cause) {
    const code = codeOf(cause);
    const ambiguous = about.isFirst ? {} : { ambiguous: true };
    if (code === "EAGAIN")
      throw new ConnectorError("transient", `Nagios does not keep up with its commands: ${about.path} is full.`, {
        status: code,
        cause,
        ...ambiguous,
      });
    throw new ConnectorError("unavailable", `Nagios stopped reading ${about.path}: ${String(code ?? cause)}.`, {
      status: code,
      cause,
      ...ambiguous,
    });
  }
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}
