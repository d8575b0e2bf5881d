// The console of a running proxy in a real browser: live.mjs BASE SECRET MODULES CHROMIUM SHOTS
//
// Signs in, reads each page, searches, tries a request while typing, follows the line that would let it pass to the limits of the
// token, drafts a token, compares, revokes one, and signs out. Fails if the browser
// reports an error or a refusal, or if something is asked for elsewhere.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [base, secret, modules, executablePath, shots] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
mkdirSync(shots, { recursive: true });

const faults = [];
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
page.on("request", (request) => { if (!request.url().startsWith(`${base}/`)) faults.push(`asked ${request.url()}`); });
page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(`${page.url()}: ${message.text()}`); });
page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
const go = async (path) => {
  const begun = Date.now();
  const answer = await page.goto(`${base}${path}`, { waitUntil: "load" });
  assert.equal(answer.status(), 200, path);
  console.log(`${path}: ${(await answer.body()).length} bytes, ${Date.now() - begun} ms`);
};
const shot = (name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });

// Sign in.
await page.goto(`${base}/console/tokens/ci-comments`);
assert.match(page.url(), /\/console\/login\?next=/);
await page.fill("input[name=secret]", secret);
await Promise.all([page.waitForURL(`${base}/console/tokens/ci-comments`), page.keyboard.press("Enter")]);

// Read.
await go("/console/");
assert.match(await page.textContent("main"), /ci-comments/);
await shot("overview");
await go("/console/tokens");
await go("/console/tokens/ci-comments");
await shot("token");
await go("/console/audit?decision=deny&token=ci-comments");
const denied = await page.locator("#calls > tbody > tr").count();
assert.ok(denied >= 2, `${denied} denied calls`);
await shot("audit");
await page.locator("#calls > tbody > tr a").first().click();
await page.waitForURL(/\/console\/calls\/\d+/);
await shot("call");
await go("/console/review");
await go("/console/audit?since=yesterday");
assert.equal(await page.locator("[aria-invalid=true]").count(), 1);

// Try a request; the answer comes while typing.
await go("/console/try?token=ci-comments");
await page.fill("textarea[name=request]", "GET /rest/api/2/issue/HR-1");
await page.locator(".verdict.deny").waitFor();
// What would let it pass, and what else that allows; the test to commit.
assert.match(await page.textContent("#answer"), /allows this request, and no other/);
assert.match(await page.textContent("#answer"), /expect = "deny"/);
await shot("try-denied");
const edit = await page.locator("a", { hasText: "Edit the limits with this line" }).getAttribute("href");
await page.fill("textarea[name=lines]", "[get]/rest/api/2/issue/HR-\\d+");
await page.locator(".verdict.allow").waitFor();
await shot("try");

// The limits with that line; the effect is shown while typing, and the newest answer stays.
await go(edit);
const lines = page.locator("textarea[name=lines]");
assert.match(await lines.inputValue(), /HR-1/);
await lines.press("End");
await lines.press("Space");
await page.locator("#answer .verdict.warn").waitFor();
assert.match(await page.textContent("#answer"), /GET \/rest\/api\/2\/issue\/HR-1/);
await shot("limits-wider");
await lines.fill("[get]/rest/api/2/serverInfo");
await page.locator("#answer .verdict.plain, #answer .verdict.warn h2", { hasText: /./ }).first().waitFor();
await lines.fill("[get]/rest/(");
await page.locator("#answer [aria-label='Errors and warnings'] .mark.deny").first().waitFor();
assert.equal(await page.locator("#answer .verdict").count(), 0, "lines with errors have no effect");

// Draft a token: its secret is shown once, and what it may do while typing.
await go("/console/new-token");
await page.fill("input[name=name]", "drafted");
await page.fill("input[name=users]", "carol");
await page.fill("textarea[name=lines]", "[get]/rest/api/2/serverInfo");
await page.locator("#answer .verdict").waitFor();
assert.match(await page.textContent("#answer"), /GET \/rest\/api\/2\/serverInfo/);
assert.doesNotMatch(await page.textContent("main"), /twd_[a-z0-9]{20,}/);
await page.locator("form[method=post] button.main").click();
await page.waitForLoadState("load");
assert.match(await page.textContent("main"), /twd_[a-z0-9]{20,}/);
await shot("drafted");

// Compare: the proxy's own policy with itself, and with a revision, which it does not read.
await go("/console/review?after=live");
assert.match(await page.textContent(".verdict"), /No request is decided differently/);
await shot("review");
await go("/console/review?after=main");
assert.match(await page.textContent("main"), /tokenward diff/);
await shot("review-revision");

// Revoke, without the dialog and with a reason.
await go("/console/tokens/release-bot/revoke");
await page.fill("input[name=reason]", "it <b>leaked</b>");
await page.locator("form[action$=revoke] button[type=submit]").click();
await page.waitForURL(/done=revoked/);
assert.match(await page.textContent("main"), /is revoked/);
await shot("revoked");

// Sign out.
await page.locator("form[action='/console/logout'] button").click();
await page.waitForLoadState("load");
await page.goto(`${base}/console/`);
assert.match(page.url(), /\/console\/login/);
await browser.close();
assert.deepEqual(faults, []);
console.log("the flows of the console: ok");
