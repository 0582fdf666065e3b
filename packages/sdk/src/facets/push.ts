import type { SourceRecord } from "../record.js";
import type { Webhook } from "../webhook.js";

/** Records of one stream that a system has sent by itself. @experimental */
export interface PushedRecords {
  readonly stream: string;
  readonly records: readonly SourceRecord[];
}

/** Records that the system sends. They wait in the inbox of pushed work, in order by key, and are held as all work is. @experimental */
export interface PushFacet<C, S> {
  readonly push?: { readonly webhook: Webhook<C, S, readonly PushedRecords[]> };
}
