import { resolveRelative, type SourceFile } from "./source-files.js";

/** A broken rule: where, and what should be instead. */
export interface Violation {
  readonly path: string;
  readonly problem: string;
}

/**
 * Which modules a floor may import beside its own files. `types`: as types only. Node's own modules stand as `node:*`; core and the SDK get none,
 * because they are values in, values out.
 */
interface Arrows {
  readonly modules: readonly string[];
  readonly types?: readonly string[];
  /** Files with more than the floor has, by their path below the floor. */
  readonly except?: { readonly [path: string]: readonly string[] };
}

/** The table of allowed arrows: docs say the same in words, the build does not enforce it because workspaces hoist. */
export const arrows: { readonly [floor: string]: Arrows } = {
  "packages/sdk/src": {
    modules: ["zod"],
    except: {
      // Signatures and hashes are the same wherever a connector runs.
      "webhook-verifiers.ts": ["node:crypto"],
      "reconcile-hash.ts": ["node:crypto"],
      // The kit has servers of its own, the author's tool has files and processes; neither is part of a connector.
      "testing/": ["node:*"],
      "tool/": ["node:*"],
    },
  },
  "packages/core/src": {
    modules: ["zod", "cron-parser", "jsonata", "luxon", "re2js", "rrule"],
    types: ["@quiesce/sdk"],
  },
  "packages/connectors/src": {
    modules: ["@quiesce/sdk", "zod", "node:*", "postgres", "csv-parse", "csv-parse/sync", "csv-stringify", "csv-stringify/sync", "undici"],
    // A vendor's client belongs to the folder of its connector.
    except: {
      "mariadb/": ["mysql2/promise"],
      "mqtt/": ["mqtt-packet"],
      "rabbitmq/": ["amqplib"],
      "webhook/": ["standardwebhooks"],
      "smtp/": ["nodemailer/lib/smtp-connection", "nodemailer/lib/mail-composer"],
      "redis/": ["@redis/client"],
      "nats/": ["@nats-io/transport-node", "@nats-io/jetstream"],
    },
  },
  "packages/server/src": {
    modules: [
      "@quiesce/core",
      "@quiesce/sdk",
      "node:*",
      "zod",
      "drizzle-orm",
      "drizzle-orm/pg-core",
      "drizzle-orm/postgres-js",
      "postgres",
      "pino",
      "yaml",
      "commander",
      "undici",
    ],
    except: {
      // The composition root, nowhere else.
      "main.ts": ["@quiesce/connectors"],
      // Agenda wakes; our own rows decide.
      "scheduler/agenda-wakes.ts": ["agenda", "@agendajs/postgres-backend", "pg"],
      "graphql.ts": ["graphql", "@pothos/core", "@pothos/plugin-relay", "dataloader"],
      "graphql/": [
        "graphql",
        "graphql-yoga",
        "@graphql-yoga/render-graphiql",
        "graphql-ws",
        "graphql-ws/use/ws",
        "ws",
        "dataloader",
        "@pothos/core",
        "@pothos/plugin-complexity",
        "@pothos/plugin-dataloader",
        "@pothos/plugin-relay",
        "@pothos/plugin-scope-auth",
      ],
      // Sign-in by OpenID Connect.
      "access/oidc/": ["openid-client", "jose"],
      "http/": ["graphql", "graphql-yoga", "graphql-ws", "graphql-ws/use/ws", "ws"],
      "cli/": ["graphql", "graphql-ws", "ws"],
      // Text to jCal and back; what rules and zones mean is ours.
      "calendars/ical-text.ts": ["ical.js"],
      // Signs what teams are told; tests verify with it.
      "notifications/": ["standardwebhooks"],
    },
  },
  "packages/create-connector/src": {
    modules: ["node:*"],
    // A text that is written, not an import.
    except: { "conformance-source.ts": ["@quiesce/sdk/testing"] },
  },
  "packages/client/src": {
    modules: ["@urql/core", "@urql/exchange-graphcache", "graphql-ws"],
    types: ["@graphql-typed-document-node/core"],
  },
  // It knows the server by its schema alone.
  "packages/dashboard/src": {
    modules: ["@quiesce/client", "@tanstack/react-router", "react", "react-aria-components", "react-dom/client", "react-intl", "urql"],
    types: ["@graphql-typed-document-node/core"],
    except: {
      "components/date-fields.tsx": ["@internationalized/date"],
      // Heavy ones belong to the pages that show them.
      "integrations/": ["@tanstack/react-virtual"],
      "kpis/": ["uplot", "uplot/dist/uPlot.min.css"],
      "topology/": ["@dagrejs/dagre", "@xyflow/react", "@xyflow/react/dist/base.css"],
      "windows/": [
        "@fullcalendar/react",
        "@fullcalendar/react/daygrid",
        "@fullcalendar/react/locales/en-gb",
        "@fullcalendar/react/locales/es",
        "@fullcalendar/react/multimonth",
        "@fullcalendar/react/skeleton.css",
        "@fullcalendar/react/themes/classic",
        "@fullcalendar/react/themes/classic/palette.css",
        "@fullcalendar/react/themes/classic/theme.css",
        "@fullcalendar/react/timegrid",
        "temporal-polyfill",
      ],
    },
  },
};

/** What only tests may import, on every floor. */
const forTests = ["vitest", "fast-check", "node:*"];
/** The server's tests may compose it as main.ts does. */
const forTestsOf: { readonly [floor: string]: readonly string[] } = {
  "packages/server/src": ["@quiesce/connectors"],
  // Messages are parsed by the build; a test compares what they want.
  "packages/dashboard/src": ["@formatjs/icu-messageformat-parser"],
};

/** The domain words. Every floor uses the same, so that a change to windows touches the rooms called windows and no other. */
const domainWords = [
  "catalog",
  "windows",
  "calendars",
  "runs",
  "inbox",
  "webhooks",
  "kpis",
  "alerts",
  "incidents",
  "changes",
  "access",
  "audit",
  "retention",
  "credentials",
  "notifications",
  "reconciliation",
  "playbooks",
  "postmortems",
];

/** The folders that a floor has beside the domain words. */
export const furtherFolders: { readonly [floor: string]: readonly string[] } = {
  "packages/core/src": ["backup", "connectors", "time", "schedules", "mapping", "imports"],
  "packages/server/src": [
    "backup",
    "db",
    "events",
    "scheduler",
    "connector-host",
    "pipeline",
    "ingest",
    "graphql",
    "http",
    "zone-data",
    "imports",
    "cli",
  ],
};

export function unknownFolders(floor: string, folders: readonly string[]): readonly Violation[] {
  const known = [...domainWords, ...(furtherFolders[floor] ?? [])];
  return folders
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: `${floor}/${name}`, problem: `is no word of the domain. Known are: ${known.join(", ")}` }));
}

function allows(list: readonly string[], specifier: string): boolean {
  return list.includes(specifier) || (specifier.startsWith("node:") && list.includes("node:*"));
}

/** Imports that the table does not allow, and relative ones that leave their floor. */
export function forbiddenArrows(floor: string, file: SourceFile): readonly Violation[] {
  const allowed = arrows[floor];
  if (allowed === undefined) return [{ path: file.path, problem: `lies on the floor ${floor}, which the table of arrows does not know` }];
  const below = file.path.slice(floor.length + 1);
  const further = Object.entries(allowed.except ?? {}).flatMap(([path, modules]) => (exceptionFits(path, below) ? modules : []));
  const modules = [...allowed.modules, ...further, ...(file.isTest ? [...forTests, ...(forTestsOf[floor] ?? [])] : [])];
  return file.imports.flatMap(({ specifier, typeOnly }): readonly Violation[] => {
    if (specifier.startsWith(".")) {
      const target = resolveRelative(file.path, specifier);
      const leaves = !target.startsWith(`${floor}/`) && !(file.isTest && target.startsWith("test/"));
      return leaves ? [{ path: file.path, problem: `imports "${specifier}", which is outside ${floor}` }] : [];
    }
    if (allows(modules, specifier)) return [];
    if (typeOnly && (allowed.types ?? []).includes(specifier)) return [];
    const asType = (allowed.types ?? []).includes(specifier) ? ", but as types only" : "";
    return [
      {
        path: file.path,
        problem: `imports "${specifier}"; ${floor} may import ${[...modules, ...(allowed.types ?? [])].join(", ")}${asType}`,
      },
    ];
  });
}

/** `x/` names a folder, `graphql.ts` every room's file of that name. */
function exceptionFits(path: string, below: string): boolean {
  if (path.endsWith("/")) return below.startsWith(path);
  return below === path || (path === "graphql.ts" && below.endsWith(`/${path}`));
}

/** A rule about the text of the sources: `what` must not occur, except in the files named. */
export interface TextRule {
  readonly name: string;
  readonly floors: readonly string[];
  readonly what: RegExp;
  readonly instead: string;
  readonly exceptFiles?: readonly string[];
  /** Only in files whose path matches. */
  readonly only?: RegExp;
  /** Also in tests. */
  readonly inTests?: boolean;
  /** Looks at comments and texts in quotes too. */
  readonly inComments?: boolean;
}

const floors = Object.keys(arrows);

export const textRules: readonly TextRule[] = [
  {
    name: "core reads no clock, no random and no environment",
    floors: ["packages/core/src"],
    what: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\s*\.|\bMath\.random\b|\bprocess\s*\.|\bcrypto\s*\.|\bset(?:Timeout|Interval|Immediate)\b/,
    instead: "take the value as an argument",
  },
  {
    name: "only clock.ts reads the process's time",
    floors: ["packages/server/src", "packages/connectors/src", "packages/sdk/src"],
    what: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\s*\./,
    instead: "use clock.ts, or the database's clock for a decision, or the context's clock in a connector",
    exceptFiles: ["packages/server/src/clock.ts", "packages/sdk/src/testing/", "packages/sdk/src/tool/"],
  },
  {
    name: "only config.ts and the command line's environment.ts read the environment",
    floors,
    what: /\bprocess\s*\.\s*env\b|\bprocess\s*\[/,
    instead: "take it from the Config",
    // The command line has an environment of its own: the server's address and a token.
    exceptFiles: ["packages/server/src/config.ts", "packages/server/src/main.ts", "packages/server/src/cli/environment.ts"],
  },
  { name: "no any", floors, what: /(?:[:<,|&(=]|\bas|\bextends)\s*any\b(?!\s*[(:])/, instead: "use unknown and look at it", inTests: true },
  {
    name: "nobody silences the compiler",
    floors: [...floors, "test"],
    what: /@ts-(?:ignore|nocheck)/,
    instead: "mend the type",
    inTests: true,
    inComments: true,
  },
  // A test may say with it that something does not compile.
  { name: "only tests expect type errors", floors, what: /@ts-expect-error/, instead: "mend the type", inComments: true },
  {
    name: "graphql.ts has no SQL",
    floors: ["packages/server/src"],
    only: /\/graphql\.ts$/,
    what: /\bsql\s*`|\bsql\s*<|\.execute\s*\(|\.(?:select|insert|update|delete)\s*\(|\bfrom\s+"drizzle-orm|\bfrom\s+"postgres"/,
    instead: "put it into queries.ts or store.ts of the room",
    inComments: true,
  },
];

export function brokenTextRules(rule: TextRule, file: SourceFile): readonly Violation[] {
  if (file.isTest && rule.inTests !== true) return [];
  if (rule.only !== undefined && !rule.only.test(file.path)) return [];
  if ((rule.exceptFiles ?? []).some((path) => (path.endsWith("/") ? file.path.startsWith(path) : file.path === path))) return [];
  const found = rule.what.exec(rule.inComments === true ? file.text : file.code);
  return found === null ? [] : [{ path: file.path, problem: `has \`${found[0].trim()}\` (${rule.name}): ${rule.instead}` }];
}

/** Libraries that one folder of core wraps, because their own answers about time are wrong or change with the day one asks. */
export function timeLibrariesOutsideTime(file: SourceFile): readonly Violation[] {
  if (file.path.startsWith("packages/core/src/time/")) return [];
  return file.imports
    .filter((one) => one.specifier === "luxon" || one.specifier === "rrule")
    .map((one) => ({ path: file.path, problem: `imports "${one.specifier}"; only packages/core/src/time does` }));
}

/** One index.ts a package, at its top; a barrel inside hides who uses what. */
export function innerBarrels(floor: string, file: SourceFile): readonly Violation[] {
  const below = file.path.slice(floor.length + 1);
  if (!/(^|\/)index\.tsx?$/.test(below) || below === "index.ts" || below === "testing/index.ts") return [];
  return [{ path: file.path, problem: "is a barrel inside the package: import the file itself" }];
}
