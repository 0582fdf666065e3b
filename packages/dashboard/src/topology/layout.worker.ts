import { layOut, type LayoutAsked } from "./lay-out.js";

/** Laying out takes up to a second, in which the page should scroll. */
addEventListener("message", ({ data }: MessageEvent<{ readonly turn: number; readonly asked: LayoutAsked }>) => {
  postMessage({ turn: data.turn, layout: layOut(data.asked) });
});
