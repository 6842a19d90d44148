import { Readable } from "node:stream";

import { describe, expect, test } from "vitest";

import { BodyReader, checkContentType } from "../../api/body.ts";

describe("a body is taken that is announced as", () => {
  test.for([
    "application/json",
    "application/json; charset=utf-8",
    'Application/JSON ; Charset="UTF-8"',
    "application/json;odd=1",
  ])("%s", (type) => {
    expect(() => checkContentType({ "content-type": type })).not.toThrow();
    expect(() => checkContentType({ "content-type": type, "content-encoding": "identity" })).not.toThrow();
  });
});

describe("a body is refused that is announced as", () => {
  test.for([
    undefined,
    "",
    "text/plain",
    "application/json; charset=latin1",
    "application/jsonp",
    "application/json-seq",
    "json",
    "a/b/c",
  ])("%s", (type) => {
    expect(() => checkContentType(type === undefined ? {} : { "content-type": type })).toThrow(
      /content-type: application\/json/,
    );
  });

  test.for(["gzip", "deflate", "br", "zstd", "identity, gzip", ""])("content-encoding %j", (encoding) => {
    const headers = { "content-type": "application/json", "content-encoding": encoding };
    expect(() => checkContentType(headers)).toThrow(/content-encoding: /);
  });
});

describe("a body", () => {
  function stream(...chunks: string[]): Readable {
    return Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  }

  test("is put together from its chunks, wherever they are cut", async () => {
    const reader = new BodyReader(100, 100);
    const bytes = Buffer.from('{"a":"é"}');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const payload = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0));
      expect(await reader.read(payload, {})).toEqual({ a: "é" });
    }
  });

  test("of exactly the limit is taken, of one byte more not", async () => {
    const reader = new BodyReader(8, 1000);
    expect(await reader.read(stream('"abc', 'def"'), {})).toBe("abcdef");
    const larger = stream('"abcd', 'efgh"', "never parsed");
    await expect(reader.read(larger, {})).rejects.toMatchObject({ code: "program_too_large", details: { allowed: 8 } });
  });

  test("that is too large by its own account is not read at all", async () => {
    const payload = stream('"abcdefghijkl"');
    await expect(new BodyReader(8, 1000).read(payload, { "content-length": "14" })).rejects.toMatchObject({
      code: "program_too_large",
    });
    expect(payload.readableDidRead).toBe(false);
  });

  test("is refused while others fill the memory, and taken again afterwards", async () => {
    const reader = new BodyReader(10, 12);
    const slow = new Readable({ read: () => undefined });
    slow.push('"abcdefg');
    const first = reader.read(slow, {});
    await expect(reader.read(stream('"12345"'), {})).rejects.toMatchObject({ code: "queue_full" });
    slow.push('"');
    slow.push(null);
    expect(await first).toBe("abcdefg");
    expect(await reader.read(stream('"12345"'), {})).toBe("12345");
  });

  test("that breaks off is refused, and gives its memory back", async () => {
    const reader = new BodyReader(10, 12);
    const broken = new Readable({ read: () => undefined });
    broken.push('"abcdefg');
    const reading = reader.read(broken, {});
    broken.destroy(new Error("aborted"));
    await expect(reading).rejects.toMatchObject({ code: "invalid_request", details: { field: "body" } });
    expect(await reader.read(stream('"12345678"'), {})).toBe("12345678");
  });
});
