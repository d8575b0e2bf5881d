// The page: fields, the two questions, links.

import { difference } from "./questions.js";
import { byId, el } from "./dom.js";
import { Engine } from "./engine.js";
import { EXAMPLES } from "./examples.js";
import { fragment, state } from "./link.js";
import { decision, findingsOf } from "./questions.js";
import { visible } from "./visible.js";

/** Pause in the typing before all findings of the policy are looked for. */
const IDLE_MS = 300;
const FIELDS = ["policy", "config", "user", "client", "request", "old", "new"];

let engine = null;
let prover = null;
let idle = 0;
/** Name of the token that a link or an example asks for, until the policy has compiled. */
let wanted = "";

const say = (text) => {
  byId("status").textContent = text;
};

function tab() {
  return byId("compare").hidden ? "decide" : "compare";
}

/** Asks anew, for the page as it is. */
function changed() {
  if (!engine) return;
  clearTimeout(idle);
  if (tab() === "compare") {
    difference(prover);
    return;
  }
  decision(engine, wanted);
  idle = setTimeout(() => findingsOf(prover), IDLE_MS);
}

function choose(name, focus) {
  for (const one of ["decide", "compare"]) {
    const button = byId(`tab-${one}`);
    button.setAttribute("aria-selected", String(one === name));
    button.tabIndex = one === name ? 0 : -1;
    byId(one).hidden = one !== name;
    if (focus && one === name) button.focus();
  }
  changed();
}

function fill(texts) {
  for (const name of FIELDS) byId(name).value = texts[name] ?? "";
  wanted = texts.token ?? "";
  byId("token").replaceChildren();
}

function example(at) {
  const { config, policy, request, new: after } = EXAMPLES[at] ?? EXAMPLES[0];
  fill({ config, policy, request, old: policy, new: after });
}

/** Fills the page from the address; an example without one, or with a damaged one. */
async function open() {
  const text = location.hash.slice(1);
  let kept = null;
  try {
    kept = text === "" ? null : await state(text);
  } catch (error) {
    say(`${visible(error.message)}; an example is shown instead`);
  }
  if (kept) {
    fill(kept);
    choose(kept.tab);
    say("These texts came with the link.");
  } else {
    example(0);
    choose(tab());
  }
}

async function link() {
  const texts = { tab: tab(), token: byId("token").value };
  for (const name of FIELDS) texts[name] = byId(name).value;
  try {
    const address = new URL(location.href);
    address.hash = await fragment(texts);
    history.replaceState(null, "", address);
    const copied = await navigator.clipboard?.writeText(address.href).then(() => true, () => false);
    say(copied ? "The link is in the address bar and in the clipboard. It contains all texts of this page." : "The link is in the address bar. It contains all texts of this page.");
  } catch (error) {
    say(`No link: ${error.message}.`);
  }
}

function listen() {
  for (const name of FIELDS) byId(name).addEventListener("input", changed);
  byId("token").addEventListener("change", () => {
    wanted = byId("token").value;
    changed();
  });
  for (const one of ["decide", "compare"]) {
    byId(`tab-${one}`).addEventListener("click", () => choose(one));
    byId(`tab-${one}`).addEventListener("keydown", ({ key }) => {
      if (key === "ArrowRight" || key === "ArrowLeft") choose(one === "decide" ? "compare" : "decide", true);
    });
  }
  const examples = byId("example");
  examples.append(...EXAMPLES.map(({ name }, at) => el("option", { value: String(at) }, name)));
  examples.addEventListener("change", () => {
    example(Number(examples.value));
    changed();
  });
  byId("link").addEventListener("click", link);
  globalThis.addEventListener("hashchange", open);
}

listen();
await open();
try {
  engine = await Engine.load();
  prover = engine.another();
  if (byId("status").textContent === "Loading the compiler.") say("");
  changed();
} catch (error) {
  say(`The compiler could not be loaded (${visible(error.message)}). \`make playground\` builds it beside this page.`);
}
document.documentElement.dataset.ready = "true";
