import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const BEARER = "of-the-job";

/** Where a job of GitHub is given tokens, with what it asks for; gone with `await using`. */
export interface GithubTokens extends AsyncDisposable {
  /** What GitHub tells a job with the permission id-token: write. */
  environment: { ACTIONS_ID_TOKEN_REQUEST_URL: string; ACTIONS_ID_TOKEN_REQUEST_TOKEN: string };
  /** The audiences that tokens were asked for. */
  audiences: (string | null)[];
}

/** Gives `answer` to whoever asks as GitHub wants it: https://docs.github.com/actions/reference/openid-connect-reference */
export async function githubTokens(answer: string): Promise<GithubTokens> {
  const audiences: GithubTokens["audiences"] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    const known = request.headers.authorization === `Bearer ${BEARER}` && searchParams.get("api-version") === "2.0";
    if (known) audiences.push(searchParams.get("audience"));
    response.writeHead(known ? 200 : 401, { "content-type": "application/json" }).end(known ? answer : "{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: BEARER,
    },
    audiences,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
