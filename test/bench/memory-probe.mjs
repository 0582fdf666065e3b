// Loaded into a server that is measured: asked by its parent, it collects garbage and tells its memory.
process.on("message", () => {
  globalThis.gc();
  process.send(process.memoryUsage());
});
// The channel keeps no server alive.
process.channel.unref();
