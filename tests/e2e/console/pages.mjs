// The console's pages in a real browser: pages.mjs PAGES MODULES CHROMIUM SHOTS [NAME…]
//
// Opens each page with the policy that the proxy sends, wide, narrow and dark, and fails if something is refused, asked for
// elsewhere, scrolls sideways, or if axe finds a fault of accessibility.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";

const [site, modules, executablePath, shots, ...only] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(shots, { recursive: true });

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const faults = [];
const server = createServer((request, response) => {
  const path = request.url.split("?")[0].slice(1);
  // The form of "Try it" gets another page than it is on, so that the change shows.
  const name = request.method === "POST" && path === "console/try" ? "try-allowed.html" : path;
  try {
    if (!/^[a-z0-9/.-]+$/.test(name) || name.includes("..")) throw new Error("no such file");
    const bytes = readFileSync(join(site, name));
    const headers = { "content-type": TYPES[extname(name)] ?? "application/octet-stream" };
    // The pages that axe looks at have no policy, since axe is injected as a text.
    if (request.headers["x-policy"] !== "none") headers["content-security-policy"] = POLICY;
    response.writeHead(200, headers).end(bytes);
  } catch {
    faults.push(`asked for ${request.method} ${request.url}`);
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A page that is watched for errors, refusals and requests to others. */
async function open(name, options, headers = {}) {
  const context = await browser.newContext({ timezoneId: "Asia/Kolkata", ...options, extraHTTPHeaders: headers });
  const page = await context.newPage();
  page.on("request", (request) => { if (!request.url().startsWith(`${origin}/`)) faults.push(`${name} asked ${request.url()}`); });
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(`${name}: ${message.text()}`); });
  page.on("pageerror", (error) => faults.push(`${name}: ${error.message}`));
  await page.goto(`${origin}/${name}.html`, { waitUntil: "load" });
  return page;
}

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 320, height: 720 }, hasTouch: true, isMobile: true };
const names = readdirSync(site).filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5))
  .filter((name) => only.length === 0 || only.includes(name)).sort();
for (const name of names) {
  for (const [kind, options] of [["wide", WIDE], ["narrow", NARROW], ["dark", { ...WIDE, colorScheme: "dark" }]]) {
    const page = await open(name, options);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 0) faults.push(`${name} (${kind}) scrolls sideways by ${wider} px`);
    if (await page.evaluate(() => window.hacked)) faults.push(`${name} ran a text of a caller`);
    if (!name.startsWith("hostile")) await page.screenshot({ path: join(shots, `${name}-${kind}.png`), fullPage: true });
    await page.context().close();
  }
  if (name.startsWith("hostile")) continue;
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(name, { ...WIDE, colorScheme }, { "x-policy": "none" });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => details.setAttribute("open", "")));
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const fault of found.violations) faults.push(`${name} (${colorScheme}): ${fault.id}: ${fault.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}: ${fault.nodes[0].failureSummary.split("\n").slice(1, 3).join(" ")}`);
    await page.context().close();
  }
}

// The scripts: local times, buttons to copy, the dialog, the answer while typing.
{
  const page = await open("token", WIDE);
  const time = page.locator("time[data-form=day]").first();
  assert.match(await time.getAttribute("title"), /UTC$/);
  assert.match(await page.locator("[data-zone]").textContent(), /Asia\/(Kolkata|Calcutta)/);
  await page.locator("a[data-dialog]").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "reason", "the focus goes to the reason");
  await page.screenshot({ path: join(shots, "token-dialog.png") });
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Revoke…", "the focus comes back");
  assert.ok((await page.locator("button", { hasText: "Copy" }).count()) > 0);
  await page.context().close();
}
{
  const page = await open("try-denied", WIDE);
  await page.locator("#f-request").pressSequentially(" ");
  await page.locator("#answer .verdict.allow").waitFor({ timeout: 10_000 });
  assert.equal(await page.locator(".verdict").count(), 1, "one verdict on the page");
  assert.match(await page.locator("#answer-state").textContent(), /as you type/);
  await page.context().close();
}
{
  const page = await open("token", { ...WIDE, javaScriptEnabled: false });
  assert.ok((await page.locator("a.end").getAttribute("href")).endsWith("/revoke"), "without script a page revokes");
  await page.context().close();
}
await browser.close();
server.close();
for (const fault of [...new Set(faults)]) console.error(fault);
console.log(`${names.length} pages, ${new Set(faults).size} faults`);
process.exit(faults.length === 0 ? 0 : 1);
