// What a change of policy newly allows and newly denies, with a request that proves each.

import { breakable, el, icon } from "./dom.js";
import { counted } from "./findings.js";
import { policyLine } from "./story.js";
import { visible, visibleLines } from "./visible.js";

/** Kind, word and sentence of the band. */
export function bandOf(report) {
  const more = report.tokens.filter(({ newly_allowed }) => newly_allowed.verdict === "yes");
  const less = report.tokens.filter(({ newly_denied }) => newly_denied.verdict === "yes");
  const others = report.widens ? " A change beside the lines gives more, too; see below." : "";
  if (more.length > 0) {
    const forwarded = more.some(({ newly_allowed }) => newly_allowed.examples.some((example) => example.forwarded));
    const tokens = counted(more.length, "token");
    return forwarded
      ? ["warn", "warn", "Allows more", `${tokens} can make requests that were denied before.`]
      : ["warn", "warn", "Allows more", `The lines of ${tokens} allow requests that were denied before. The proxy refuses those shown for another reason.`];
  }
  if (report.widens) return ["warn", "warn", "Allows more", "A change beside the lines gives more; see below."];
  if (report.open) return ["plain", "unasked", "Not settled", "The proof took too many steps. This is not a proof that nothing changes."];
  if (less.length > 0) return ["allow", "less", "Allows less", `${counted(less.length, "token")} can make fewer requests, and none can make more.${others}`];
  if (report.tokens.length > 0 || report.configuration.length > 0 || report.sets.length > 0) {
    return ["plain", "same", "Same access", "No token can make a request that it could not make before, or fewer."];
  }
  return ["plain", "same", "No difference", `${counted(report.unchanged, "token")} proved equivalent, for all requests.`];
}

export function band([, shape, word, sentence]) {
  return [
    el("div", { class: "stamp", "aria-hidden": "true" }, icon(shape), word),
    el("div", { class: "why" }, el("h2", { class: "hidden" }, word), el("p", {}, sentence)),
  ];
}

const fact = (name, ...what) => [el("dt", {}, name), el("dd", {}, ...what)];

const place = ({ line, text }) => [`line ${line}: `, policyLine(text)];

function example(one) {
  const facts = [
    one.allowed_by && fact("Allowed by", place(one.allowed_by)),
    one.unrestricted_at && fact("Unrestricted at", place(one.unrestricted_at)),
    one.denied_by && fact("Denied by", place(one.denied_by)),
    one.nearest && fact("Nearest before", place(one.nearest), one.nearest.why ? el("div", { class: "soft" }, visible(one.nearest.why)) : null),
    one.widened?.length > 0 && fact("What is wider", one.widened.map(({ words }) => visible(words)).join("; ")),
    one.telling && fact("Also, for example", el("code", {}, breakable(visible(one.telling.request)))),
    one.obstacles.length > 0 && fact("Forwarded", visible(`only ${one.obstacles.join(", ")}`)),
  ].filter(Boolean);
  return el(
    "li",
    {},
    el("p", {}, el("code", {}, breakable(visible(one.request)))),
    one.decoded ? el("p", { class: "soft" }, `decoded: ${visible(one.decoded)}`) : null,
    el("dl", {}, facts.flat()),
    el("pre", { class: "code", tabindex: "0", "aria-label": "The request as a command" }, el("code", {}, visibleLines(one.curl))),
  );
}

function direction(title, kind, { verdict, why, examples }) {
  if (verdict === "no") return null;
  return el(
    "section",
    {},
    el("p", { class: `mark ${kind}` }, icon(kind === "warn" ? "more" : "less"), title),
    verdict === "inconclusive" ? el("p", {}, visible(`not settled: ${why}`)) : el("ol", {}, examples.map(example)),
  );
}

const changed = ({ key, old, new: after, widens }) =>
  el("li", {}, widens ? el("span", { class: "mark warn" }, icon("warn"), "gives more ") : null, visible(`${key}: ${old} → ${after}`));

const STANDINGS = { kept: "", new: " (new)", gone: " (gone)" };

function token(one) {
  return el(
    "section",
    { class: "token" },
    el("h3", {}, visible(one.name), STANDINGS[one.standing] ?? ""),
    one.changes.length > 0 ? el("ul", { class: "notes" }, one.changes.map(changed)) : null,
    direction("Newly allowed", "warn", one.newly_allowed),
    direction("Newly denied", "calm", one.newly_denied),
  );
}

/** The part below the band. */
export function differences(report) {
  const beside = [...report.configuration, ...report.sets, ...report.invariants];
  return [
    beside.length > 0 ? el("ul", { class: "notes" }, beside.map(changed)) : null,
    ...report.tokens.map(token),
  ].filter(Boolean);
}
