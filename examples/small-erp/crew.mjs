const WORK_MS = 25_000;

/**
 * The maintenance crew: it waits for `quiesced` - the window is open and nothing is in flight - before it takes the ERP down, works a while, and
 * brings it back. This is what people, or their scripts, do with the live events. `say(who, what)` hears the story; `onClosed` hears that the
 * window is over and everything it held has gone.
 */
export function startCrew({ client, controlUrl, window, say, onClosed }) {
  let working;
  const flip = (state) => fetch(`${controlUrl}/${state}`, { method: "POST" });
  const work = async () => {
    await flip("down");
    say("Crew", "nothing is in flight, so the ERP is really taken down: its port is closed.");
    working = setTimeout(() => {
      working = undefined;
      flip("up").then(
        () => say("Crew", "the ERP is back. The window is still open, so everything still waits."),
        (error) => say("Crew", `the ERP did not come back: ${error.message}`),
      );
    }, WORK_MS);
  };
  const stories = {
    "window.opened": () => say("Window", "opened. No run that touches the ERP starts from now on; those in flight may finish."),
    "window.quiesced": () => {
      say("Window", "quiesced. The last run in flight has finished.");
      if (working === undefined) work().catch((error) => say("Crew", `the ERP could not be taken down: ${error.message}`));
    },
    "window.ended": () => say("Window", "ended early by somebody."),
    "window.released": () => say("Window", "released. What was held goes again, a second apart."),
    "window.closed": () => onClosed(),
  };
  const stopWatching = client.follow({
    kinds: ["window.*"],
    subjects: [`window:${window}`],
    next: ({ kind }) => stories[kind]?.(),
    lost: (problem) => say("Crew", `it hears no events any more: ${problem}`),
  });
  return {
    stop() {
      stopWatching();
      if (working !== undefined) clearTimeout(working);
    },
  };
}
