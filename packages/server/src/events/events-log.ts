/** What this folder needs of a logger; pino's satisfies it. */
export interface EventsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
