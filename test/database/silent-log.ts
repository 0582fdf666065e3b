/** A log for what logs and is not looked at. */
export const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
