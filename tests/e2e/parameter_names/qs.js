// Where `qs` files parameters. Arguments: the package's folder, `dots` for `allowDots`, a depth. Reads JSON strings, one a line;
// prints for each the paths of its leaves.
"use strict";
const { createInterface } = require("node:readline");
const [folder, dots, depth] = process.argv.slice(2);
const qs = require(folder);
console.error(`qs ${require(folder + "/package.json").version} ${dots} depth ${depth}`);
const options = { allowDots: dots === "dots", depth: Number(depth), allowPrototypes: true };

const leaves = (value, path) => {
  if (value === null || typeof value !== "object" || Object.keys(value).length === 0) return [path];
  return Object.keys(value).flatMap((key) => leaves(value[key], [...path, key]));
};

createInterface({ input: process.stdin }).on("line", (line) => {
  // As Express has it: an object whose prototype's names may be overwritten.
  const filed = qs.parse(`${encodeURIComponent(JSON.parse(line))}=1`, options);
  console.log(JSON.stringify(Object.keys(filed).length === 0 ? [] : leaves(filed, [])));
});
