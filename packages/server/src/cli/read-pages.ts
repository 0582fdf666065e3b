/** A page of a Relay connection. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** The server gives at most so many at once. */
const PAGE_SIZE = 200;

/** Everything up to `limit`, page by page. */
export async function readPages<Node>(
  limit: number,
  page: (variables: { readonly first: number; readonly after: string | null }) => Promise<Page<Node>>,
): Promise<readonly Node[]> {
  const found: Node[] = [];
  let after: string | null = null;
  while (found.length < limit) {
    const next: Page<Node> = await page({ first: Math.min(PAGE_SIZE, limit - found.length), after });
    found.push(...next.nodes);
    after = next.pageInfo.endCursor;
    if (!next.pageInfo.hasNextPage || after === null) break;
  }
  return found;
}
