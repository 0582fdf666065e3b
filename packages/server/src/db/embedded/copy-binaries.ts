import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, chmod, copyFile, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { z } from "zod";

const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Copies regular files only: links are made afresh below, and static libraries serve no running server. */
const copyTree = async (from: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true, mode: 0o755 });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile() && !entry.name.endsWith(".a")) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, dirname(source).endsWith("bin") ? 0o755 : 0o644);
    }
  }
};

/**
 * Copies a package's `native` folder once to `target` and makes the library links that its install script would have
 * made: install scripts may be switched off, and then libicu is not found. The copy appears whole or not at all.
 */
export async function copyBinaries(native: string, target: string): Promise<void> {
  if (await exists(target)) return;
  const unfinished = `${target}.new-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    await copyTree(native, unfinished);
    const listFile = join(native, "pg-symlinks.json");
    const links = (await exists(listFile)) ? linkList.parse(JSON.parse(await readFile(listFile, "utf8"))) : [];
    for (const link of links) {
      // The list names both ends from the package's folder: "native/lib/libpq.so.5".
      const at = join(unfinished, relative("native", link.target));
      await symlink(relative(dirname(link.target), link.source), at);
    }
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process may have finished the same copy first; anything else is a failure of ours.
    if (!(await exists(target))) throw error;
  }
}
