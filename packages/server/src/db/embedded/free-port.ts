import { createServer } from "node:net";

/** Asks the system for a port of 127.0.0.1 that is free now. Another process may still take it: callers try again. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen({ host: "127.0.0.1", port: 0, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("The system gave no port of 127.0.0.1."));
        else resolve(address.port);
      });
    });
  });
}
