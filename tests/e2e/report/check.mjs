// Reports in a real browser: check.mjs DIRECTORY MODULES CHROMIUM SHOTS
//
// Opens each page wide, narrow and dark, and prints it. Fails if a page loads something, runs a script, scrolls sideways, or if axe
// finds a fault of accessibility.
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [directory, modules, executablePath, shots] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(shots, { recursive: true });
const faults = [];
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A page that is watched for errors and for anything that it loads. */
async function open(name, options) {
  const own = pathToFileURL(resolve(directory, name)).href;
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (request) => { if (request.url() !== own) faults.push(`${name} asked ${request.url()}`); });
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(`${name}: ${message.text()}`); });
  page.on("pageerror", (error) => faults.push(`${name}: ${error.message}`));
  await page.goto(own, { waitUntil: "load" });
  return page;
}

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 320, height: 720 }, hasTouch: true, isMobile: true };
const names = readdirSync(directory).filter((name) => name.endsWith(".html")).sort();
if (names.length === 0) faults.push("no page");
for (const name of names) {
  for (const [kind, options] of [["wide", WIDE], ["narrow", NARROW], ["dark", { ...WIDE, colorScheme: "dark" }]]) {
    const page = await open(name, options);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 0) faults.push(`${name} (${kind}) scrolls sideways by ${wider} px`);
    if (await page.evaluate(() => document.scripts.length)) faults.push(`${name} has a script`);
    await page.screenshot({ path: join(shots, `${name}-${kind}.png`), fullPage: true });
    if (kind === "wide") {
      const pdf = await page.pdf({ path: join(shots, `${name}.pdf`), format: "A4" });
      if (pdf.length < 10_000) faults.push(`${name} prints nothing`);
    }
    await page.context().close();
  }
  for (const colorScheme of ["light", "dark"]) {
    // axe is a script, which the page's own policy refuses.
    const page = await open(name, { ...WIDE, colorScheme, bypassCSP: true });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => details.setAttribute("open", "")));
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const fault of found.violations) faults.push(`${name} (${colorScheme}): ${fault.id}: ${fault.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}: ${fault.nodes[0].failureSummary.split("\n").slice(1, 3).join(" ")}`);
    await page.context().close();
  }
}
await browser.close();
for (const fault of [...new Set(faults)]) console.error(fault);
console.log(`${names.length} reports, ${new Set(faults).size} faults`);
process.exit(faults.length === 0 ? 0 : 1);
