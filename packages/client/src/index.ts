export { connect, type Connection, type ConnectionOptions } from "./connection.js";
export { MeDocument, type MeQuery } from "./documents/start.generated.js";
export { followEvents, type FollowedEvents, type FollowOptions, type LiveEvent } from "./follow-events.js";
export { createLiveRows, type LiveRows, type LiveRowsOptions, type PageAsked, type RowsOverview } from "./live-rows.js";
export {
  type ConnectionStatus,
  type LiveOperation,
  type LiveResult,
  type LiveSink,
  type LiveSocket,
  type LiveSocketOptions,
} from "./live-socket.js";
export { createLiveValue, type LiveValue, type OwnedValue } from "./live-value.js";
export { isSignedOut, type Refusal, refusalOf } from "./refusal.js";
