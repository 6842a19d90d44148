import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { parseApiKeys } from "../../api/api-keys.ts";
import { Authenticator, checkLocalHost } from "../../api/auth.ts";
import { ServiceError } from "../../core/errors.ts";
import { temporaryFolder } from "../support/server.ts";

const ADA = "ada-0123456789abcdef";
const BEN = "ben-0123456789abcdef";

function refused(action: () => unknown): ServiceError {
  try {
    action();
  } catch (error) {
    if (error instanceof ServiceError && error.code === "unauthorized") return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("a request's key", () => {
  const authenticator = new Authenticator(parseApiKeys(`ada:${ADA},ben:${BEN}`));

  test.for([
    ["as bearer", { authorization: `Bearer ${ADA}` }, "ada"],
    ["as bearer in small letters", { authorization: `bearer ${BEN}` }, "ben"],
    ["as bearer after spaces", { authorization: `Bearer   ${BEN}` }, "ben"],
    ["as X-API-Key", { "x-api-key": BEN }, "ben"],
    ["as both", { authorization: `Bearer ${ADA}`, "x-api-key": ADA }, "ada"],
  ] as const)("tells whose it is: %s", ([, headers, tenant]) => {
    expect(authenticator.authenticate(headers)).toBe(tenant);
  });

  test.for([
    ["none", {}],
    ["one nobody has", { "x-api-key": "somebody-0123456789" }],
    ["part of one", { "x-api-key": ADA.slice(0, -1) }],
    ["one and more", { "x-api-key": `${ADA}x` }],
    ["two keys in one header", { "x-api-key": `${ADA}, ${BEN}` }],
    ["an empty one", { "x-api-key": "" }],
    ["a name instead", { "x-api-key": "ada" }],
    ["name and secret", { "x-api-key": `ada:${ADA}` }],
    ["an empty bearer", { authorization: "Bearer " }],
    ["two words after Bearer", { authorization: `Bearer ${ADA} ${BEN}` }],
    ["another scheme", { authorization: `Basic ${Buffer.from(`ada:${ADA}`).toString("base64")}` }],
    ["another scheme beside a key", { authorization: "Basic YTpi", "x-api-key": ADA }],
    ["two that differ", { authorization: `Bearer ${ADA}`, "x-api-key": BEN }],
  ] as const)("is refused: %s", ([, headers]) => {
    const { message } = refused(() => authenticator.authenticate(headers));
    expect(message).not.toContain(ADA);
  });

  test("is not asked for where there are none", () => {
    expect(new Authenticator([]).authenticate({ authorization: "Basic YTpi" })).toBe("anonymous");
  });
});

describe("a server without keys", () => {
  test.for([
    "localhost",
    "localhost:8080",
    "LOCALHOST:1",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.1.2.3:80",
    "[::1]",
    "[::1]:8080",
    undefined,
  ])("answers to %s", (host) => {
    expect(() => checkLocalHost(host === undefined ? {} : { host })).not.toThrow();
  });

  test.for([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "",
    "a@localhost",
    "[::2]",
  ])("does not answer to %j", (host) => {
    expect(refused(() => checkLocalHost({ host })).message).toContain("ALLOW_ANONYMOUS");
  });
});

describe("API_KEYS", () => {
  test("are pairs, of which only the first colon counts", () => {
    expect(parseApiKeys(` a.b-c_1:${ADA}:x , ben:${BEN}`)).toEqual([
      { name: "a.b-c_1", secret: `${ADA}:x` },
      { name: "ben", secret: BEN },
    ]);
  });

  test("may lie in a file, a pair a line", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "keys");
    await writeFile(path, `# our clients\n\nada:${ADA}\r\n  ben:${BEN},x  \n`);
    const expected = [
      { name: "ada", secret: ADA },
      { name: "ben", secret: `${BEN},x` },
    ];
    expect(parseApiKeys(path)).toEqual(expected);
    expect(parseApiKeys(`file:${path}`)).toEqual(expected);
    await writeFile(path, `ada:${ADA}\n# x\nben:short\n`);
    expect(() => parseApiKeys(path)).toThrow(`line 3 of ${path} (ben)`);
    await writeFile(path, "# nobody\n");
    expect(() => parseApiKeys(path)).toThrow(`file ${path} has no keys`);
    expect(() => parseApiKeys(`${path}.missing`)).toThrow("can't be read");
  });

  test.for([
    [ADA, /entry 1 is not name:secret/],
    [`ada:${ADA},`, /entry 2 is not/],
    [`:${ADA}`, /entry 1 has a name/],
    [`a da:${ADA}`, /entry 1 has a name/],
    [`${"a".repeat(64)}:${ADA}`, /entry 1 has a name/],
    [`anonymous:${ADA}`, /entry 1 is named anonymous/],
    ["ada:fifteen-letters", /entry 1 \(ada\) .* 16/],
    [`ada:${ADA}é`, /entry 1 \(ada\) .* ASCII/],
    [`ada:${ADA} x`, /entry 1 \(ada\) .* ASCII/],
    [`ada:${ADA},ada:${BEN}`, /entry 2 \(ada\) has the name/],
    [`ada:${ADA},ben:${ADA}`, /entry 2 \(ben\) has the secret/],
  ] as const)("are refused without telling the secret: %s", ([value, problem]) => {
    expect(() => parseApiKeys(value)).toThrow(problem);
    expect(() => parseApiKeys(value)).not.toThrow(ADA);
  });
});
