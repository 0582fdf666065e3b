import { parseSettings } from "../../index.js";
import { must, show, type SuiteCases } from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";

/** Configurations that were stored by older versions still work. */
export function migrationCases<T>({ connector, options }: Subject<T>): SuiteCases {
  const version = connector.configVersion ?? 1;
  if (version === 1) return { skipped: "the configuration has its first version" };
  const { older = [] } = options.config;
  const complete = async (): Promise<void> => {
    const given = older.map((one) => one.version);
    const absent = Array.from({ length: version - 1 }, (_, index) => index + 1).filter((one) => !given.includes(one));
    must(
      absent.length === 0,
      `options.config.older has no configuration of version ${absent.join(", ")}: keep one of each that was ever released.`,
    );
  };
  return [
    { suite: "migration", name: "migration: a configuration of every older version is given", run: complete },
    ...older.map((old) => ({
      suite: "migration" as const,
      name: `migration: a configuration of version ${old.version} becomes one of version ${version}`,
      run: async () => {
        const before = JSON.stringify(old.config);
        const migrated = connector.migrate?.(old.config, old.version);
        must(JSON.stringify(old.config) === before, `migrate changed the configuration of version ${old.version} that it was given.`);
        const parsed = await parseSettings(connector.config, migrated);
        must(
          parsed.ok,
          `migrate made ${show(migrated)} of version ${old.version}, which the schema refuses: ${show(parsed.ok ? "" : parsed.issues)}.`,
        );
      },
    })),
  ];
}
