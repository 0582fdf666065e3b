import { ConnectorError, type Downtime, type RemoteDowntime } from "@quiesce/sdk";
import type { DowntimeCalls } from "../../packages/server/src/connector-host/downtime-calls.js";

/** One downtime at the fake monitor. */
type Entry = Omit<RemoteDowntime, "end"> & { end: string };

/** Thrown where the process is meant to have died. */
export class Killed extends Error {}

/**
 * A monitor in memory, one entry a resource, which answers as the facet demands: announcing is idempotent by windowId, withdrawing what is gone succeeds.
 * `dieAt` ends the caller before or after a call has had its effect, once.
 */
export class FakeMonitor implements DowntimeCalls {
  readonly entries: Entry[] = [];
  readonly calls: string[] = [];
  known: ReadonlySet<string> | undefined;
  isDown = false;
  /** It takes any time for the one that it has. */
  isInexact = false;
  /** Once, what happens while it answers a list. */
  whileListing: (() => Promise<void>) | undefined;
  dieAt: { readonly call: "announce" | "withdraw" | "list"; readonly when: "before" | "after" } | undefined;
  #nextId = 1;

  async announce(_endpointId: number, downtime: Downtime): Promise<readonly string[]> {
    return this.#call("announce", downtime.windowId, () => {
      const unknown = downtime.resources.find((name) => this.known !== undefined && !this.known.has(name));
      if (unknown !== undefined) throw new ConnectorError("not_found", `There is no ${unknown}.`, { field: "resources" });
      const kept = new Map<string, Entry>();
      for (const entry of this.entries.filter((one) => one.windowId === downtime.windowId)) {
        const [resource = ""] = entry.resources;
        const isGood =
          downtime.resources.includes(resource) &&
          !kept.has(resource) &&
          (this.isInexact || (entry.start === downtime.start && entry.end === downtime.end));
        if (isGood) kept.set(resource, entry);
        else this.remove(entry.id);
      }
      for (const resource of downtime.resources)
        if (!kept.has(resource)) kept.set(resource, this.add({ ...downtime, resources: [resource] }));
      return [...kept.values()].map((entry) => entry.id).toSorted();
    });
  }

  async withdraw(_endpointId: number, windowId: string): Promise<void> {
    return this.#call("withdraw", windowId, () => {
      for (const entry of this.entries.filter((one) => one.windowId === windowId)) this.remove(entry.id);
    });
  }

  async list(): Promise<readonly RemoteDowntime[]> {
    const answer = this.#call("list", "", () => this.entries.map((entry) => ({ ...entry })));
    const { whileListing } = this;
    this.whileListing = undefined;
    await whileListing?.();
    return answer;
  }

  add(
    downtime: Pick<RemoteDowntime, "start" | "end" | "resources" | "title"> & { readonly windowId?: string; readonly author?: string },
  ): Entry {
    const { windowId, author, start, end, resources, title } = downtime;
    const entry = {
      id: String(this.#nextId),
      ...(windowId === undefined ? {} : { windowId }),
      start,
      end,
      resources,
      title,
      ...(author === undefined ? {} : { author }),
    };
    this.#nextId += 1;
    this.entries.push(entry);
    return entry;
  }

  remove(id: string): void {
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (at >= 0) this.entries.splice(at, 1);
  }

  #call<T>(call: "announce" | "withdraw" | "list", what: string, effect: () => T): T {
    this.calls.push(`${call} ${what}`.trim());
    if (this.isDown) throw new ConnectorError("unavailable", "No answer from the monitor: ECONNREFUSED.");
    const { dieAt } = this;
    const diesNow = dieAt?.call === call;
    if (diesNow) this.dieAt = undefined;
    if (diesNow && dieAt.when === "before") throw new Killed("killed before the call");
    const answer = effect();
    if (diesNow) throw new Killed("killed after the call");
    return answer;
  }
}
