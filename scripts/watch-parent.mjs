const POLL_MS = 500;

/**
 * Calls `onGone` once when the npm that started this script has ended. Killing npm reaches nobody below it, and a server
 * that goes on serving without its terminal is what nobody expects. A script started without npm may outlive its shell.
 */
export function watchParent(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(poll);
    onGone();
  }, POLL_MS);
  poll.unref();
}
