// What the page shows, as the fragment of its address. A fragment is never sent to a server. Its content is text of others: it is
// bounded, each field is checked to be a text, and it is only ever put into fields.

/** Characters of a fragment, and of the text in it. */
const LONGEST = 1 << 16;
const LARGEST = 1 << 18;
const FIELDS = ["policy", "config", "token", "user", "client", "request", "old", "new"];
/** A secret of Tokenward has no place in a link. */
const SECRET = /twd_[0-9a-z]{38}/g;

const base64 = (bytes) => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const unbase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

/** Passes bytes through a stream, and stops at the limit. */
async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    size += value.length;
    if (size > LARGEST) {
      await reader.cancel();
      throw new Error("the text in the link is too large");
    }
    parts.push(value);
  }
}

/** The fragment of a state; throws if it is too long. */
export async function fragment(state) {
  const kept = { tab: state.tab };
  for (const name of FIELDS) if (state[name]) kept[name] = state[name].replace(SECRET, "twd_SECRET");
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  if (bytes.length > LARGEST) throw new Error("the texts are too large for a link");
  const compressed = globalThis.CompressionStream !== undefined;
  const text = compressed ? `1.${base64(await through(bytes, new CompressionStream("deflate-raw")))}` : `0.${base64(bytes)}`;
  if (text.length > LONGEST) throw new Error("the texts are too large for a link");
  return text;
}

/** The state of a fragment; null if it has none, and an error if it is damaged. */
export async function state(fragment) {
  const [kind, text] = fragment.split(".", 2);
  if (!/^[01]$/.test(kind) || text === undefined) return null;
  if (fragment.length > LONGEST) throw new Error("the link is too long");
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error("the link is damaged");
  let read;
  try {
    const bytes = unbase64(text);
    const plain = kind === "1" ? await through(bytes, new DecompressionStream("deflate-raw")) : bytes;
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
  } catch (error) {
    throw error instanceof Error && error.message.includes("too large") ? error : new Error("the link is damaged");
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw new Error("the link is damaged");
  const kept = { tab: read.tab === "compare" ? "compare" : "decide" };
  for (const name of FIELDS) {
    const value = Object.hasOwn(read, name) ? read[name] : "";
    if (typeof value !== "string") throw new Error("the link is damaged");
    kept[name] = value;
  }
  return kept;
}
