import { once } from "node:events";
import { createServer } from "node:net";

/** Systems give outgoing connections ports above these by themselves, and one could be taken between the look and the use. */
const FIRST = 15_000;
const LAST = 30_000;
const TRIES = 100;

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`No free port between ${FIRST} and ${LAST} in ${TRIES} tries.`);
}
