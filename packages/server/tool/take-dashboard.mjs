import { cp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

// The package carries the page that it serves: whoever installs the server has no other package to find.
const built = fileURLToPath(new URL("../../dashboard/dist/", import.meta.url));
const target = fileURLToPath(new URL("../dist/dashboard/", import.meta.url));
await rm(target, { recursive: true, force: true });
await cp(built, target, { recursive: true, filter: (path) => !path.includes("/.vite") });
