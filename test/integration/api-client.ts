/** GraphQL over HTTP with a token, as any client would use it. */
export interface ApiClient {
  /** The data of an operation; throws with the errors' codes and messages. */
  request<T>(document: string, variables?: object): Promise<T>;
}

export function apiClient(url: string, token: string): ApiClient {
  return {
    async request<T>(query: string, variables: object = {}): Promise<T> {
      const response = await fetch(`${url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data?: T; errors?: readonly unknown[] };
      if (errors !== undefined || data === undefined) throw new Error(`The API answered ${response.status}: ${JSON.stringify(errors)}`);
      return data;
    },
  };
}
