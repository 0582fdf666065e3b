import type { JsonObject } from "../../index.js";
import { must, rejectedAs, show, withBench, type Bench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";

interface Rotating<T> extends Bench<T> {
  readonly old: JsonObject;
  readonly check: (secrets: JsonObject) => Promise<unknown>;
  readonly issue: (key: string, fence: number) => Promise<JsonObject>;
  readonly revoke: (old: JsonObject, staying: JsonObject) => Promise<void>;
}

/** New secrets work before the old ones end, and the old ones end. */
export function rotateCases<T>(subject: Subject<T>): SuiteCases {
  const { connector } = subject;
  const { rotate } = connector;
  if (typeof rotate?.issue !== "function" || connector.check === undefined)
    return { skipped: "the connector gets no new secrets from its system" };
  const one = (name: string, needsRevoke: boolean, work: (rotating: Rotating<T>) => Promise<void>): ConformanceCase => ({
    suite: "rotate",
    name: `rotate: ${name}`,
    run: () =>
      withBench(subject, async (bench) => {
        const { config } = await bench.context();
        must(
          rotate.canIssue?.(config) !== false,
          "rotate.canIssue says no for options.config.valid: give a configuration with which secrets can be issued.",
        );
        if (needsRevoke && (rotate.revoke === undefined || rotate.canRevoke?.(config) === false)) return;
        await work(rotatingOf(subject, bench));
      }),
  });
  return [
    one("issue gives secrets of its own names only", false, async ({ old, issue }) => {
      const issued = await issue("rotation-1", 1);
      const changed = Object.keys(issued).filter((name) => issued[name] !== old[name]);
      must(changed.length > 0, "issue gave the secrets that there were.");
      const foreign = changed.filter((name) => !rotate.secrets.includes(name));
      must(foreign.length === 0, `issue changed ${show(foreign)}, expected names of rotate.secrets: ${show(rotate.secrets)}.`);
    }),
    one("old and new secrets work side by side", false, async ({ old, check, issue }) => {
      const issued = await issue("rotation-1", 1);
      await check(issued);
      await check(old);
    }),
    one(
      "asked again for one rotation, what the first answer gave works or is useless, and the last works",
      false,
      async ({ old, check, issue }) => {
        await issue("rotation-1", 1);
        const last = await issue("rotation-1", 2);
        await check(last);
        await check(old);
      },
    ),
    one("old secrets are refused once they are revoked, the new ones stay", true, async ({ old, check, issue, revoke }) => {
      const issued = await issue("rotation-1", 1);
      await revoke(old, issued);
      await rejectedAs("check with revoked secrets", ["auth", "permission"], check(old));
      await check(issued);
      await revoke(old, issued);
    }),
    one("new secrets that are given up are refused, the old ones stay", true, async ({ old, check, issue, revoke }) => {
      const issued = await issue("rotation-1", 1);
      await revoke(issued, old);
      await rejectedAs("check with secrets that were given up", ["auth", "permission"], check(issued));
      await check(old);
    }),
  ];
}

function rotatingOf<T>({ connector, options }: Subject<T>, bench: Bench<T>): Rotating<T> {
  const old = options.secrets.valid;
  return {
    ...bench,
    old,
    check: async (secrets) => connector.check?.(await bench.context({ secrets })),
    issue: async (key, fence) => {
      const issued = await connector.rotate?.issue?.(await bench.context({ secrets: old }), { key, fence });
      return { ...old, ...issued?.secrets };
    },
    revoke: async (ended, staying) => connector.rotate?.revoke?.(await bench.context({ secrets: staying }), ended),
  };
}
