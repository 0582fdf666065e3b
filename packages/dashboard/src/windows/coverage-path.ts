import type { IntlShape } from "react-intl";

const ways = ["all", "integration", "tag", "system", "dependency"] as const;

/**
 * Why something is covered, in the language of the page. The server writes "system: erp; dependency: shop > erp; tag: core, writes to erp", one piece for
 * each way: names stay as they are, the words between are the page's. A piece of another form is shown as it came.
 */
export function coveragePathText(path: string, intl: Pick<IntlShape, "formatMessage" | "formatList">): string {
  return intl.formatList(path.split("; ").map((piece) => pieceText(piece, intl)));
}

function pieceText(piece: string, { formatMessage }: Pick<IntlShape, "formatMessage">): string {
  const [, found, detail = ""] = /^([a-z]+): (.+)$/s.exec(piece) ?? [];
  const via = ways.find((way) => way === found);
  if (via === undefined) return piece;
  const [, name = "", targets] = /^(.*?)(?:, writes to (.+))?$/s.exec(detail) ?? [];
  // Of a system whose writes alone are held the whole chain is what is written to.
  const chain = name.replace(/^writes to /, "");
  const onlyWrites = targets !== undefined || chain !== name;
  return formatMessage(
    { id: `windows.path.${via}` },
    {
      name: via === "dependency" ? chain.split(" > ").toReversed().join(" → ") : chain,
      writes: onlyWrites ? (targets ?? "these") : "none",
    },
  );
}
