// The grammar gives each part of a line its colour, in files of sets and within TOML.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const file = (name) => new URL(`../syntaxes/${name}`, import.meta.url);
const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));

// As little of TOML as the injection needs.
const toml = {
  scopeName: "source.toml",
  patterns: [
    { match: "#.*$", name: "comment.line.toml" },
    { begin: "'''", end: "'''", name: "string.quoted.toml" },
  ],
};
const grammars = {
  "source.tokenward-limits": () => read("limits.tmLanguage.json"),
  "tokenward.injection": () => read("injection.tmLanguage.json"),
  "source.toml": () => parseRawGrammar(JSON.stringify(toml), "toml.json"),
};

function read(name) {
  return parseRawGrammar(readFileSync(file(name), "utf8"), name);
}

const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) => grammars[scope]?.() ?? null,
  getInjections: (scope) => (scope === "source.toml" ? ["tokenward.injection"] : []),
});

async function scopes(scope, text) {
  const grammar = await registry.loadGrammar(scope);
  let state = INITIAL;
  const found = [];
  for (const line of text.split("\n")) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    for (const token of tokens) {
      found.push([line.slice(token.startIndex, token.endIndex), token.scopes.join(" ")]);
    }
  }
  return (part) => found.filter(([text]) => text === part).map(([, names]) => names);
}

test("the parts of a line have their scopes", async () => {
  const text = [
    "# allow TW0504: old",
    "@include jira-read",
    "![get,post]/rest/{USER}/[a-z]+\\d.*",
    '[post]/x[JsonData::fields.labels[*]:string|null==a|b][QueryParam::"a b"!=c]',
  ].join("\n");
  const of = await scopes("source.tokenward-limits", text);
  for (const [part, scope] of [
    ["TW0504", "constant.other.code"],
    ["@include", "keyword.control.include"],
    ["jira-read", "entity.name.section.set"],
    ["!", "keyword.operator.forbid"],
    ["get,post", "storage.type.method"],
    ["{USER}", "variable.language.placeholder"],
    ["[a-z]", "constant.other.character-class"],
    ["\\d", "constant.character.escape"],
    ["JsonData", "support.type.constraint"],
    ["fields.labels[*]", "variable.parameter.name"],
    ["string|null", "support.type.kind"],
    ["==", "keyword.operator.comparison"],
    ["QueryParam", "support.type.constraint"],
    ['"a b"', "variable.parameter.name"],
    ["!=", "keyword.operator.comparison"],
  ]) {
    assert.ok(of(part).some((names) => names.includes(scope)), `${part}: ${of(part)}`);
  }
});

test("lines within TOML have them too, and what follows has not", async () => {
  const of = await scopes("source.toml", "[[token]]\nlimit_to = '''\n[get]/x\n'''\nget = 1 # '''\n");
  const [inside, ...outside] = of("get");
  assert.ok(inside.includes("storage.type.method") && inside.includes("meta.embedded.block"), inside);
  assert.ok(!outside.some((names) => names.includes("storage.type.method")));
  assert.ok(of("[get]").length === 0);
});
