// Runs the compiler away from the page, so that a long proof does not stop the typing. Gets the module, then questions.

let exports;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function ask(question) {
  const bytes = encoder.encode(JSON.stringify(question));
  const room = exports.room(bytes.length);
  if (room === 0) {
    const message = "The texts are larger than 1 MiB together; use the command for policies of this size.";
    return { error: { part: "question", message, diagnostics: [] } };
  }
  // The memory may have grown, and then it has another buffer.
  new Uint8Array(exports.memory.buffer, room, bytes.length).set(bytes);
  const length = exports.ask();
  return JSON.parse(decoder.decode(new Uint8Array(exports.memory.buffer, exports.answer(), length)));
}

self.onmessage = async ({ data }) => {
  if (data.module) {
    exports = (await WebAssembly.instantiate(data.module, {})).exports;
    self.postMessage({ ready: true });
    return;
  }
  const began = performance.now();
  const answer = ask(data.question);
  self.postMessage({ id: data.id, answer, took: performance.now() - began });
};
