import { useState } from "react";

/** The last answer to a question that somebody asks by hand, and how to ask it. */
export function useAnswer<Answer>(ask: () => Promise<Answer | null>): readonly [Answer | null, () => Promise<void>] {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const again = async () => {
    setAnswer(null);
    setAnswer(await ask());
  };
  return [answer, again];
}
