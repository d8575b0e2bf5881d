// Links and text of others, without a browser.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

const page = new URL("../../../docs/playground/", import.meta.url);
const { fragment, state } = await import(new URL("link.js", page));
const { hiddenPlaces, visible, visibleLines } = await import(new URL("visible.js", page));

const STATE = { tab: "compare", policy: "é\u{1f511}\u202e<b>", config: "", token: "t", user: "", client: "", request: "GET /", old: "o", new: "n" };
const plain = (value) => `0.${Buffer.from(JSON.stringify(value)).toString("base64url")}`;
const packed = (bytes) => `1.${deflateRawSync(bytes).toString("base64url")}`;

test("a state survives its fragment, with and without compression", async () => {
  const compressed = await fragment(STATE);
  assert.match(compressed, /^1\.[A-Za-z0-9_-]+$/);
  assert.deepEqual(await state(compressed), STATE);
  const stream = globalThis.CompressionStream;
  delete globalThis.CompressionStream;
  const bare = await fragment(STATE);
  globalThis.CompressionStream = stream;
  assert.match(bare, /^0\.[A-Za-z0-9_-]+$/);
  assert.deepEqual(await state(bare), STATE);
});

test("a secret is left out, and a large text has no link", async () => {
  const kept = await state(await fragment({ ...STATE, request: `a twd_${"0".repeat(38)} b` }));
  assert.equal(kept.request, "a twd_SECRET b");
  await assert.rejects(fragment({ ...STATE, policy: "x".repeat(1 << 19) }), /too large/);
});

test("a fragment of something else is none, and a hostile one is an error", async () => {
  for (const text of ["", "main", "2.AA", "1"]) assert.equal(await state(text), null, text);
  const hostile = [
    "0.", "1.", "1.AAAA", "0.!", "0.e30x", plain([]), plain(null), plain("x"), plain({ policy: 1 }), plain({ policy: ["x"] }),
    packed(Buffer.alloc(1 << 24)), packed(Buffer.from([0xff, 0xfe])), `0.${"A".repeat(1 << 17)}`,
  ];
  for (const text of hostile) await assert.rejects(state(text), /^Error: the (link|text)/, text.slice(0, 20));
  const { tab, policy } = await state(plain(JSON.parse('{"__proto__":{"policy":"x"},"tab":"other"}')));
  assert.deepEqual([tab, policy], ["decide", ""]);
});

test("characters that nobody sees are shown as numbers", () => {
  assert.equal(visible("a\u202eb\u001b[31m\n\u200b\u{e0041}é"), "a\\u{202e}b\\u{1b}[31m\\u{a}\\u{200b}\\u{e0041}é");
  assert.equal(visibleLines("a\nb\u2066"), "a\nb\\u{2066}");
  assert.deepEqual(hiddenPlaces("a\tb\nc\u202e"), ["line 2: \\u{202e}"]);
  assert.deepEqual(hiddenPlaces("\u200b".repeat(5)).at(-1), "2 more");
});

test("the page has no inline script or style, and names no other host", () => {
  for (const name of readdirSync(page)) {
    const text = readFileSync(new URL(name, page), "utf8");
    const hosts = [...text.matchAll(/https?:\/\/([a-z0-9.-]+)/g)].map(([, host]) => host);
    assert.deepEqual(hosts.filter((host) => host !== "www.w3.org" && !host.endsWith(".example.com")), [], name);
    assert.doesNotMatch(text, /\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()/, name);
    if (name.endsWith(".html")) assert.doesNotMatch(text, /\s(style|on[a-z]+)=|<style|<script(?![^>]*\bsrc=)/, name);
  }
});
