import { startFaultProxy, type FaultProxy } from "./fault-proxy.js";
import { startFaultServer, type FakeAnswer, type FaultServer, type SeenRequest } from "./fault-server.js";

/** A system that runs for one test. `T` is what the test can do to it behind the connector's back. */
export interface RunningSystem<T> {
  /** Where the connector finds it: what goes wrong goes wrong there. */
  readonly url: string;
  readonly system: T;
  /** Where it answers HTTP through the kit's own server. */
  readonly faults?: FaultServer;
  /** Where a proxy of the kit stands before it. */
  readonly proxy?: FaultProxy;
  readonly stop: () => Promise<void>;
}

/** Starts a system anew for each test. */
export interface SystemUnderTest<T> {
  /** `http`: faults of HTTP can be made; `tcp`: those of connections; `none`: there is no network between. */
  readonly faults: "http" | "tcp" | "none";
  readonly start: () => Promise<RunningSystem<T>>;
}

/** A system written for the test: it answers requests from what it holds in memory. */
export interface FakeSystem {
  readonly handle: (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>;
}

/** A fake system behind the kit's HTTP server. `create` makes a new one, with nothing in it, for each test. */
export function fake<T extends FakeSystem>(create: () => T): SystemUnderTest<T> {
  return {
    faults: "http",
    start: async () => {
      const system = create();
      const faults = await startFaultServer((request) => system.handle(request));
      return { url: faults.url, system, faults, stop: () => faults.stop() };
    },
  };
}

/** What `start` of {@link real} gives. */
export interface StartedSystem<T> {
  readonly url: string;
  readonly system: T;
  readonly stop: () => Promise<void>;
}

/**
 * A system that really runs: a service that was started, a folder. It is empty at the start of each test. With `proxy` a TCP proxy of the kit stands before
 * it, and `url` names that.
 */
export function real<T>(options: { readonly start: () => Promise<StartedSystem<T>>; readonly proxy?: boolean }): SystemUnderTest<T> {
  if (options.proxy !== true) return { faults: "none", start: options.start };
  return {
    faults: "tcp",
    start: async () => {
      const started = await options.start();
      const url = new URL(started.url);
      const proxy = await startFaultProxy({ host: url.hostname, port: Number(url.port) });
      url.hostname = proxy.host;
      url.port = String(proxy.port);
      const stop = async (): Promise<void> => {
        await proxy.stop();
        await started.stop();
      };
      return { url: url.href, system: started.system, proxy, stop };
    },
  };
}
