// The questions that the page asks, and where their answers go.

import { byId, el, show } from "./dom.js";
import { band, bandOf, differences } from "./difference.js";
import { counted, findings, summary } from "./findings.js";
import { story, unanswered, verdict } from "./story.js";
import { hiddenPlaces, visible, visibleLines } from "./visible.js";

const text = (name) => byId(name).value;

function took(milliseconds) {
  if (milliseconds !== undefined) byId("timing").textContent = `answered in ${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Points at the field whose content keeps the question from an answer. */
function blame(part) {
  for (const name of ["token", "user", "client", "request", "config"]) {
    const field = byId(name);
    field.parentElement.classList.toggle("bad", name === part);
    field.toggleAttribute("aria-invalid", name === part);
  }
  if (part === "config") byId("settings").open = true;
}

/** Characters in a policy that mislead its readers. */
function warnOfHidden(name) {
  const places = hiddenPlaces(text(name));
  return places.length > 0 ? `invisible characters: ${places.join(", ")}` : null;
}

function showFindings(found) {
  byId("policy-found").hidden = found.length === 0;
  show(byId("policy-findings"), findings(found, byId("policy")));
}

function status(name, ...parts) {
  byId(`${name}-status`).textContent = parts.filter(Boolean).join(" · ");
}

function showTokens(tokens) {
  const select = byId("token");
  const names = tokens.map(({ name }) => name);
  const shown = [...select.options].map(({ value }) => value);
  if (names.length === shown.length && names.every((name, at) => name === shown[at])) return;
  const before = select.value;
  select.replaceChildren(...names.map((name) => el("option", { value: name }, visible(name))));
  if (names.includes(before)) select.value = before;
}

function band_of(id, kind, children) {
  const section = byId(id);
  section.className = `verdict ${kind} tight`;
  show(section, children);
}

/** Errors of the policy, its tokens, and the decision on the request. */
export function decision(engine, wanted) {
  const [policy, config] = [text("policy"), text("config")];
  engine.ask("check", { ask: "check", policy, config }, ({ check, error }) => {
    if (check) showTokens(check.tokens);
    if (wanted && check?.tokens.some(({ name }) => name === wanted)) byId("token").value = wanted;
    // The warnings that need a proof follow later. Until then, those of the text before would only flicker.
    if (!check || check.diagnostics.some(({ severity }) => severity === "error")) showFindings(check?.diagnostics ?? []);
    status("config", error?.part === "config" ? visibleLines(error.message) : null);
    status("policy", check && (summary(check.diagnostics) ?? `${counted(check.tokens.length, "token")}, no errors`), warnOfHidden("policy"));
    const asked = { policy, config, token: text("token"), request: text("request"), user: text("user").trim(), client: text("client").trim() };
    engine.ask("decide", { ask: "decide", ...asked }, showDecision);
  });
}

function showDecision({ decide, error }, milliseconds) {
  took(milliseconds);
  blame(error?.part);
  if (decide) {
    band_of("verdict", decide.decision, verdict(decide));
    show(byId("story"), story(decide));
    return;
  }
  const policy = error.part === "policy";
  band_of("verdict", "plain", unanswered(policy ? "No policy" : "No answer", error.message));
  show(byId("story"));
}

/** All findings of the policy, with the requests that prove them. */
export function findingsOf(engine) {
  const policy = text("policy");
  engine.ask("prove", { ask: "prove", policy, config: text("config") }, ({ prove, error }) => {
    if (policy !== text("policy")) return;
    if (!prove) {
      // The other answers name an error of the configuration.
      if (error.part !== "config") status("policy", `findings not computed: ${visible(error.message)}`);
      return;
    }
    showFindings(prove.diagnostics);
    const open = prove.open > 0 ? `${counted(prove.open, "question")} not settled` : null;
    const tokens = byId("token").options.length;
    status("policy", summary(prove.diagnostics) ?? `${counted(tokens, "token")}, no errors and no warnings`, open, warnOfHidden("policy"));
  });
}

/** What the change of policy gives. */
export function difference(engine) {
  const question = { ask: "diff", old: text("old"), new: text("new"), config: text("config") };
  engine.ask("diff", question, ({ diff, error }, milliseconds) => {
    took(milliseconds);
    blame(error?.part);
    status("config", error?.part === "config" ? visibleLines(error.message) : null);
    for (const side of ["old", "new"]) {
      const found = error?.part === side ? error.diagnostics : [];
      show(byId(`${side}-findings`), findings(found, byId(side)));
      status(side, summary(found), warnOfHidden(side));
    }
    if (diff) {
      const shown = bandOf(diff);
      band_of("difference", shown[0], band(shown));
      show(byId("differences"), differences(diff));
      return;
    }
    const side = { old: "The policy before does not compile.", new: "The policy after does not compile." }[error.part];
    band_of("difference", "plain", unanswered("No answer", error.diagnostics.length > 0 ? side : error.message));
    show(byId("differences"));
  });
}
