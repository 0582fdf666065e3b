import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server that a test can cut. */
export interface Wire {
  /** Ends every connection, and takes no more. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
}

export interface OpenWire extends Wire {
  readonly url: string;
  /** Where it leads, a port of this machine. */
  lead(port: number): void;
  close(): Promise<void>;
}

/** Passes bytes on, until it is cut: browsers go on with a socket when they are only told to be offline. */
export async function openWire(): Promise<OpenWire> {
  const ends = new Set<Socket>();
  let target: number | null = null;
  let isCut = false;
  const server: Server = createServer((near) => {
    near.on("error", () => near.destroy());
    if (isCut || target === null) return void near.destroy();
    const far = connect(target, "127.0.0.1");
    far.on("error", () => near.destroy());
    for (const end of [near, far]) {
      ends.add(end);
      end.on("close", () => {
        ends.delete(end);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    lead: (to) => {
      target = to;
    },
    cut: () => {
      isCut = true;
      for (const end of ends) end.destroy();
    },
    mend: () => {
      isCut = false;
    },
    close: async () => {
      server.close();
      await once(server, "close");
    },
  };
}
