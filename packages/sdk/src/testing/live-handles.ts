import { createHook } from "node:async_hooks";
import { readdirSync, readlinkSync } from "node:fs";
import { ConformanceFailure } from "./conformance-case.js";

const SETTLE_MS = 1_000;
const LOOK_EVERY_MS = 20;

/** What can keep a process busy, by Node's names. */
const KINDS: { readonly [type: string]: string } = {
  Timeout: "timer",
  TCPWRAP: "socket",
  TCPSERVERWRAP: "server",
  PIPEWRAP: "pipe",
  UDPWRAP: "datagram socket",
  PROCESSWRAP: "process",
  FSEVENTWRAP: "watched file",
  WORKER: "worker",
};

interface Referable {
  readonly hasRef?: () => boolean;
}

/** Looks at everything that is opened from now on. */
export interface HandleWatch {
  /** Waits until nothing is open that was opened since; fails with what is. Ends the watch. */
  readonly settle: (what: string) => Promise<void>;
}

/** Begins to watch. Each handle is known by itself, so that others may come and go meanwhile. */
export function watchHandles(): HandleWatch {
  const opened = new Map<number, { readonly kind: string; readonly handle: Referable }>();
  const files = openFiles();
  let watching = true;
  const hook = createHook({
    init: (id, type, _trigger, resource) => {
      const kind = KINDS[type];
      if (watching && kind !== undefined) opened.set(id, { kind, handle: resource });
    },
    destroy: (id) => void opened.delete(id),
  }).enable();
  // What is not referenced ends with the process: connections kept for the next request, for example.
  const left = (): readonly string[] => [
    ...[...opened.values()].filter(({ handle }) => handle.hasRef?.() !== false).map(({ kind }) => kind),
    ...Array.from({ length: Math.max(openFiles() - files, 0) }, () => "file"),
  ];
  return {
    settle: async (what) => {
      // The timer below must keep the process alive, and be no finding.
      watching = false;
      const deadline = Date.now() + SETTLE_MS;
      try {
        while (left().length > 0) {
          if (Date.now() > deadline)
            throw new ConformanceFailure(`${what} left open: ${left().join(", ")}. Close in finally what was opened.`);
          await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        }
      } finally {
        hook.disable();
      }
    },
  };
}

/** Files by path, where the platform tells; 0 elsewhere. */
function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").filter(isFile).length;
  } catch {
    // Not on this platform: all else is looked at anyway.
    return 0;
  }
}

function isFile(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith("/");
  } catch {
    // The descriptor by which the folder was listed is closed already.
    return false;
  }
}
