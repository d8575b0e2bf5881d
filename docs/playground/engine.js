// Questions to the compiler, one at a time. Of several questions of one kind only the newest is asked.

/** Time after which a question is given up. */
const PATIENCE_MS = 30_000;

const policy = globalThis.trustedTypes?.createPolicy("worker", {
  createScriptURL: () => new URL("worker.js", import.meta.url).href,
});
const WORKER = policy ? policy.createScriptURL("") : new URL("worker.js", import.meta.url);

export class Engine {
  #module;
  #worker = null;
  #waiting = new Map();
  #current = null;
  #count = 0;
  #timer = 0;

  constructor(module) {
    this.#module = module;
  }

  /** Loads the compiler. */
  static async load() {
    const response = await fetch(new URL("playground.wasm", import.meta.url), { credentials: "omit", referrerPolicy: "no-referrer" });
    if (!response.ok) throw new Error(`playground.wasm: status ${response.status}`);
    // Not compileStreaming: it needs a server that knows the type of the file.
    return new Engine(await WebAssembly.compile(await response.arrayBuffer()));
  }

  /** An engine with a worker of its own, so that its proofs delay no decision. */
  another() {
    return new Engine(this.#module);
  }

  /** Asks; `kind` names the question, of which only the newest is answered. `then` gets the answer and its milliseconds. */
  ask(kind, question, then) {
    this.#waiting.set(kind, { kind, question, then });
    this.#next();
  }

  #start() {
    const worker = new Worker(WORKER, { type: "module", name: "compiler" });
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (worker !== this.#worker || data.id !== this.#current?.id) return;
      this.#finish(data.answer, data.took);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#give_up("The compiler stopped with an error. Please report the texts that lead to it.");
    };
    worker.postMessage({ module: this.#module });
  }

  #next() {
    if (this.#current || this.#waiting.size === 0) return;
    if (!this.#worker) this.#start();
    const [kind, asked] = this.#waiting.entries().next().value;
    this.#waiting.delete(kind);
    this.#current = { ...asked, id: ++this.#count };
    this.#timer = setTimeout(() => this.#give_up("No answer within 30 seconds; simplify the patterns, or use the command."), PATIENCE_MS);
    this.#worker.postMessage({ id: this.#current.id, question: { now_ms: Date.now(), ...asked.question } });
  }

  #give_up(message) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#finish({ error: { part: "question", message, diagnostics: [] } }, undefined);
  }

  #finish(answer, took) {
    clearTimeout(this.#timer);
    const asked = this.#current;
    this.#current = null;
    // A newer question of this kind makes the answer old.
    if (asked && !this.#waiting.has(asked.kind)) asked.then(answer, took);
    this.#next();
  }
}
