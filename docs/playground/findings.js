// Errors and warnings of a policy, each with a button that shows its place.

import { el, icon } from "./dom.js";
import { visible } from "./visible.js";

/** The offset of a line and column, both counted from 1, columns in characters. */
function offset(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, part) => sum + part.length + 1, 0);
  return before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

function showPlace(editor, { line, column, end_line, end_column }) {
  const [from, to] = [offset(editor.value, line, column), offset(editor.value, end_line, end_column)];
  editor.focus();
  editor.setSelectionRange(from, Math.max(from, to));
  // Browsers do not scroll to a selection by themselves.
  const height = Number.parseFloat(getComputedStyle(editor).lineHeight) || 20;
  editor.scrollTop = Math.max(0, (line - 4) * height);
}

function item(found, editor) {
  const isError = found.severity === "error";
  const kind = isError ? "deny" : "warn";
  const place = el("button", { type: "button", class: "quiet", onclick: () => showPlace(editor, found) }, `line ${found.line}`);
  return el(
    "li",
    {},
    el(
      "div",
      { class: "top" },
      el("span", { class: `mark ${kind}` }, icon(kind), `${visible(found.severity)} ${visible(found.code)}`),
      place,
    ),
    el("p", {}, visible(found.headline)),
    found.label && el("p", { class: "soft" }, visible(found.label)),
    found.help && el("p", { class: "soft" }, visible(found.help)),
    found.witness && el("pre", { class: "code", tabindex: "0" }, el("code", {}, visible(found.witness.request))),
  );
}

export const findings = (found, editor) => found.map((one) => item(one, editor));

export function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** "2 errors, 1 warning", or null if there are none. */
export function summary(found) {
  const errors = found.filter(({ severity }) => severity === "error").length;
  const others = found.length - errors;
  const parts = [errors > 0 && counted(errors, "error"), others > 0 && counted(others, "warning")].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : null;
}
