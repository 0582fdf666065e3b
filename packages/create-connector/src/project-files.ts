import { connectorSource } from "./connector-source.js";
import { conformanceSource } from "./conformance-source.js";

/** What the files are made of. */
export interface Project {
  readonly id: string;
  readonly packageName: string;
  readonly sdk: string;
}

const TYPESCRIPT = "^7.0.2";
const NODE_TYPES = "^20.19.0";
const ZOD = "^4.0.0";

/** The files of a new connector, by their path. */
export function projectFiles(project: Project): { readonly [path: string]: string } {
  return {
    "package.json": packageJson(project),
    "tsconfig.json": json({
      compilerOptions: { ...COMPILER_OPTIONS, rootDir: "src", outDir: "dist", declaration: true },
      include: ["src"],
    }),
    "tsconfig.test.json": json({ compilerOptions: { ...COMPILER_OPTIONS, rootDir: ".", outDir: ".test" }, include: ["src", "test"] }),
    ".gitignore": "node_modules/\ndist/\n.test/\nquiesce.dev.json\nquiesce-report.json\n*.tgz\n",
    "src/index.ts": connectorSource(project),
    "test/conformance.test.ts": conformanceSource(),
    "README.md": readme(project),
  };
}

const COMPILER_OPTIONS = {
  target: "ES2023",
  lib: ["ES2023"],
  module: "nodenext",
  moduleResolution: "nodenext",
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
};

function packageJson({ id, packageName, sdk }: Project): string {
  return json({
    name: packageName,
    version: "0.1.0",
    description: `Connects Quiesce with ${id}.`,
    keywords: ["quiesce-connector"],
    files: ["dist"],
    type: "module",
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" }, "./package.json": "./package.json" },
    scripts: {
      build: "tsc",
      test: "tsc -p tsconfig.test.json && node --test --test-reporter=spec .test/test/conformance.test.js",
      verify: "quiesce-connector verify",
      prepack: "npm run build",
    },
    devDependencies: { "@quiesce/sdk": sdk, "@types/node": NODE_TYPES, typescript: TYPESCRIPT, zod: ZOD },
    peerDependencies: { "@quiesce/sdk": sdk },
    engines: { node: ">=20.19" },
    quiesce: { apiVersion: 1, id, entry: "./dist/index.js", facets: ["check", "streams", "read"], stability: "experimental" },
  });
}

function readme({ id, packageName }: Project): string {
  return `# ${packageName}
A connector for [Quiesce](https://www.npmjs.com/package/@quiesce/sdk). It reads the items of a system with a REST API.

\`\`\`sh
npm install
npm test            # the conformance kit against a fake system: test/conformance.test.ts
npm run build
npx quiesce-connector dev check     # against a real one: quiesce.dev.json holds { "config": { "url": "..." }, "secrets": { "token": "..." } }
npm run verify      # builds, tests, packs, installs the package in an empty folder, writes quiesce-report.json
npm publish --provenance
\`\`\`

Make it yours: \`src/index.ts\` is the connector, \`test/conformance.test.ts\` says what its system is like. A facet that you add (\`write\`, \`alerts\`, \`downtime\` ...)
is listed in package.json under \`quiesce.facets\`, and needs its options in the test. The id \`${id}\` never changes once it is published.
`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
