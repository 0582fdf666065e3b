import type { Health, Stream } from "@quiesce/sdk";
import { openDatabase, type MariadbContext } from "./mariadb-client.js";
import { neededColumns, rowSchema } from "./table-columns.js";

/** Whether the server is there and lets these credentials in. */
export async function checkDatabase(x: MariadbContext): Promise<Health> {
  const database = await openDatabase(x);
  try {
    const [row] = await database.query("select current_user() as principal");
    return { status: "up", version: database.version, identity: { principal: String(row?.["principal"]) } };
  } finally {
    await database.close();
  }
}

/** The configured tables, with the columns they have. */
export async function listStreams(x: MariadbContext): Promise<Stream[]> {
  const database = await openDatabase(x);
  try {
    const streams: Stream[] = [];
    for (const stream of x.config.streams) {
      streams.push({
        name: stream.name,
        schema: rowSchema(await neededColumns(database, stream, stream.key)),
        key: stream.key,
        cursor: stream.cursorColumn === undefined ? "none" : "incremental",
        deletes: "snapshot",
      });
    }
    return streams;
  } finally {
    await database.close();
  }
}
