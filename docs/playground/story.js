// The decision on a request, and what each line of the token had to do with it.

import { breakable, el, icon } from "./dom.js";
import { visible } from "./visible.js";

const STAMPS = { allow: "Allowed", deny: "Denied", refuse: "Refused" };

/** A policy line: methods strong, each condition on a row of its own. */
export function policyLine(text) {
  const shown = visible(text);
  const [, head, rest] = /^(!?(?:\[[a-z,*]+\])?)(.*)$/is.exec(shown) ?? [null, "", shown];
  // A condition begins at a bracket with a name and a test in it. A class of a regular expression has neither.
  const at = rest.search(/\[(?:QueryParam|JsonData)\b/);
  const path = at < 0 ? rest : rest.slice(0, at);
  const conditions = at < 0 ? [] : rest.slice(at).split(/(?=\[(?:QueryParam|JsonData)\b)/);
  return el(
    "code",
    { class: "line" },
    head && el("b", {}, head),
    breakable(path),
    conditions.map((condition) => el("span", { class: "if" }, condition)),
  );
}

const held = (kind, text) => el("span", { class: `held ${kind}` }, icon(kind), el("span", {}, text));

/** The cells of a line: the parts before the one that failed held, those after it were not asked. */
function cells({ failed }) {
  const parts = ["method", "url", "conditions"];
  const part = failed === null ? parts.length : failed.part === "method" ? 0 : failed.part === "url" ? 1 : 2;
  return parts.map((name, at) => {
    if (at < part) return held("yes", "matches");
    return at === part ? held("no", visible(failed.why)) : held("unasked", "not asked");
  });
}

function table(lines) {
  const heads = ["Place", "Line", "Method", "Path", "Conditions"].map((name) => el("th", { scope: "col" }, name));
  const rows = lines.map((line) => {
    const [method, path, conditions] = cells(line);
    return el(
      "tr",
      {},
      el("td", { class: "fit soft" }, `line ${line.number}`),
      el("th", { scope: "row", class: "full" }, policyLine(line.text)),
      el("td", { "data-name": "Method" }, method),
      el("td", { "data-name": "Path" }, path),
      el("td", { "data-name": "Conditions" }, conditions),
    );
  });
  return el(
    "table",
    { class: "t records" },
    el("caption", { class: "hidden" }, "Each line of the token, and the first part of it that does not match"),
    el("thead", {}, el("tr", {}, heads)),
    el("tbody", {}, rows),
  );
}

/** The band: shape, word, request, reason. */
export function verdict({ decision, method, url, detail, line, reason, status, user, token }) {
  const word = STAMPS[decision] ?? "Unknown";
  const sent = status === null ? "sent to the upstream" : `status ${status}`;
  return [
    el("div", { class: "stamp", "aria-hidden": "true" }, icon(decision), word),
    el(
      "div",
      { class: "why" },
      el("h2", { class: "ask" }, el("span", { class: "hidden" }, `${word}: `), method ? breakable(visible(`${method} ${url}`)) : "not an HTTP request"),
      el("p", {}, breakable(visible(detail))),
      line && el("p", {}, `line ${line.number}: `, policyLine(line.text)),
      el("p", { class: "soft" }, visible([token, user && `user ${user}`, reason, sent].filter(Boolean).join(" · "))),
    ),
  ];
}

/** The band for a question without an answer. */
export function unanswered(word, message) {
  return [
    el("div", { class: "stamp", "aria-hidden": "true" }, icon("unasked"), word),
    el("div", { class: "why" }, el("p", {}, el("span", { class: "hidden" }, `${word}: `), visible(message))),
  ];
}

/** The part below the band. */
export function story({ lines, notes }) {
  return [
    notes.length > 0 &&
      el("section", {}, el("h2", {}, "Remarks"), el("ul", { class: "notes" }, notes.map((note) => el("li", {}, visible(note))))),
    lines.length > 0 &&
      el("section", { "aria-labelledby": "h-story" }, el("div", { class: "head" }, el("h2", { id: "h-story" }, "Line by line"), el("p", {}, "No line allows the request. Each line shows its first part that does not match.")), table(lines)),
  ].filter(Boolean);
}
