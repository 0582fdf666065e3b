// Writes the bill of materials of what is installed with Quiesce, from the lockfile alone: CycloneDX, by npm itself. No network is used.
import "./require-node.mjs";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";

const file = join(root, process.argv[2] ?? "sbom.cdx.json");
const maxBytes = 64 * 1024 * 1024;
const words = ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application", "--package-lock-only", "--omit", "dev"];
const bill = JSON.parse(
  execFileSync("npm", words, { cwd: root, encoding: "utf8", maxBuffer: maxBytes, stdio: ["ignore", "pipe", "inherit"] }),
);

// npm takes the name of the folder.
bill.metadata.component.name = "quiesce";
const ours = ({ purl }) => purl?.startsWith("pkg:npm/%40quiesce/");
const incomplete = bill.components
  .filter((one) => !one.version || !one.purl || (!ours(one) && !one.hashes?.length))
  .map(({ name }) => name);
if (incomplete.length > 0) throw new Error(`Without a version, an address or a digest: ${incomplete.join(", ")}.`);
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
console.log(
  `${file}: ${bill.components.length} components, ${bill.components.filter((one) => !ours(one)).length} of others, each with its digest.`,
);
