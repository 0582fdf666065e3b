import { useEffect, useRef, useState } from "react";
import type { Layout, LayoutAsked } from "./lay-out.js";

interface Answered {
  readonly turn: number;
  readonly layout: Layout;
}

/** Where the boxes stand, computed beside the page; null until the first answer. The same question is not asked twice. */
export function useLayout(asked: LayoutAsked): Layout | null {
  const worker = useRef<Worker | null>(null);
  const turn = useRef(0);
  const [layout, setLayout] = useState<Layout | null>(null);
  const key = JSON.stringify(asked);
  useEffect(() => {
    const started = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    started.addEventListener("message", ({ data }: MessageEvent<Answered>) => {
      if (data.turn === turn.current) setLayout(data.layout);
    });
    worker.current = started;
    return () => started.terminate();
  }, []);
  useEffect(() => {
    turn.current += 1;
    worker.current?.postMessage({ turn: turn.current, asked: JSON.parse(key) as LayoutAsked });
  }, [key]);
  return layout;
}
