/** Asks a Quiesce server one GraphQL operation; throws what it refused, with its code. */
export async function graphql({ url, token, query, variables }) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  if (answer.errors !== undefined)
    throw new Error(answer.errors.map((error) => `${error.extensions?.code ?? "error"}: ${error.message}`).join("\n"));
  return answer.data;
}
