import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { opendir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { PackageRefusal } from "./find-package.js";

/** A package with more files or bytes is not digested: 20,000 and 512 MiB. */
const MAX_FILES = 20_000;
const MAX_BYTES = 512 * 1_024 * 1_024;

/**
 * One value for all files of an installed package, as `sha512-` and base64: SHA-512 over the lines `<SHA-512 in hex>  <path with />\n` of its files in
 * the order of their paths by code units. Folders called node_modules are left out: what the package depends on has its own versions. Links are refused.
 */
export async function packageDigest(folder: string): Promise<string> {
  const files = await filesOf(folder);
  const whole = createHash("sha512");
  let bytes = 0;
  for (const path of files) {
    const hash = createHash("sha512");
    for await (const chunk of createReadStream(join(folder, ...path.split("/")))) {
      bytes += (chunk as Buffer).byteLength;
      if (bytes > MAX_BYTES)
        throw new PackageRefusal(`it is larger than ${MAX_BYTES / 1_024 / 1_024} MiB, so its integrity is not checked.`);
      hash.update(chunk as Buffer);
    }
    whole.update(`${hash.digest("hex")}  ${path}\n`);
  }
  return `sha512-${whole.digest("base64")}`;
}

async function filesOf(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules") folders.push(path);
      } else if (entry.isFile()) {
        found.push(relative(root, path).split(sep).join("/"));
      } else {
        throw new PackageRefusal(`${path} is neither a file nor a folder, so its integrity cannot be checked.`);
      }
      if (found.length > MAX_FILES) throw new PackageRefusal(`it has more than ${MAX_FILES} files, so its integrity is not checked.`);
    }
  }
  return found.toSorted();
}
