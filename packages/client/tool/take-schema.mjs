import { copyFile } from "node:fs/promises";

// The package carries the schema of its version, for front ends that write documents against it.
await copyFile(new URL("../../server/schema.graphql", import.meta.url), new URL("../schema.graphql", import.meta.url));
