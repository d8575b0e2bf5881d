// The playground in a real browser: playground/check.mjs SITE MODULES CHROMIUM OUT
//
// Serves the page as any web server would, drives it as its readers do, and takes screenshots. Fails if the page asks for anything
// but its own files, if its Content-Security-Policy refuses anything, or if axe finds a fault of accessibility.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";

const [site, modules, executablePath, out] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(out, { recursive: true });

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };

/** Serves the files of the site, and remembers what else was asked for. */
function serve(strays) {
  return new Promise((done) => {
    const server = createServer((request, response) => {
      const name = request.url === "/" ? "index.html" : request.url.slice(1);
      try {
        if (!/^[a-z.]+$/.test(name)) throw new Error("no such file");
        const bytes = readFileSync(join(site, name));
        response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(bytes);
      } catch {
        strays.push(request.url);
        response.writeHead(404).end();
      }
    });
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

const strays = [];
const server = await serve(strays);
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const faults = [];
const checks = [];
const check = (name, run) => checks.push([name, run]);

/** A page of its own, watched for errors, refusals and requests to others. */
async function open(fragment = "", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("blob:")) strays.push(request.url());
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => globalThis.violations.push(`${violatedDirective} ${blockedURI}`));
  });
  await page.goto(`${origin}/${fragment && `#${fragment}`}`);
  await page.waitForSelector("html[data-ready]");
  return page;
}

async function close(page) {
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  await page.context().close();
}

const stamp = (page, word) => page.locator("#verdict .stamp", { hasText: word }).waitFor();
const difference = (page, word) => page.locator("#difference .stamp", { hasText: word }).waitFor();

async function accessible(page, what) {
  await page.evaluate(`(() => { ${axe}\n globalThis.axe = axe; })()`).catch(() => undefined);
  const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`));
  assert.deepEqual(found, [], what);
}

check("a request is decided at each keystroke, with its story", async () => {
  const page = await open();
  await stamp(page, "Denied");
  await page.locator("#story tbody tr").first().waitFor();
  assert.match(await page.locator("#story").innerText(), /the line is for GET,POST, the request is PUT/);
  await page.fill("#request", "GET /rest/api/2/issue/KANBAN-412/comment");
  await stamp(page, "Allowed");
  await page.locator("#request").press("End");
  await page.keyboard.type("/..%2f");
  await stamp(page, "Refused");
  await page.fill("#request", "curl -u svc-ci:x -X POST -d a=b https://jira.example.com/rest/api/2/issue/KANBAN-412/comment");
  await stamp(page, "Refused");
  await page.fill("#request", "");
  await stamp(page, "No answer");
  await close(page);
});

check("errors of the policy have a place that can be selected", async () => {
  const page = await open();
  await stamp(page, "Denied");
  const good = await page.inputValue("#policy");
  await page.fill("#policy", good.replace("[get]", "[fetch]"));
  await stamp(page, "No policy");
  await page.locator("#policy-findings button").first().click();
  const selected = await page.evaluate(() => {
    const { value, selectionStart, selectionEnd } = document.getElementById("policy");
    return value.slice(selectionStart, selectionEnd);
  });
  assert.equal(selected, "[fetch]");
  await page.fill("#policy", good);
  await stamp(page, "Denied");
  await page.fill("#policy", good.replaceAll("KANBAN-\\d+", "KANBAN-1.*"));
  await page.locator("#policy-findings .code").first().waitFor();
  await close(page);
});

check("fields that the answer depends on are pointed at", async () => {
  const page = await open();
  await stamp(page, "Denied");
  const good = await page.inputValue("#policy");
  await page.fill("#policy", good.replace('user = "svc-ci"', 'users = ["a", "b"]\nallowed_ips = ["192.0.2.0/24"]'));
  await page.locator(".field.bad #client").waitFor();
  await page.fill("#client", "192.0.2.7");
  await page.locator(".field.bad #user").waitFor();
  await page.fill("#user", "b");
  await stamp(page, "Denied");
  await page.fill("#client", "198.51.100.1");
  await page.locator("#verdict", { hasText: "not be used from this address" }).waitFor();
  await close(page);
});

check("two policies are compared, with requests", async () => {
  const page = await open();
  await page.getByRole("tab", { name: "Compare two policies" }).click();
  await difference(page, "Allows more");
  assert.match(await page.locator("#differences").innerText(), /GET \/rest\/api\/2\/issue\/KANBAN-/);
  const [old, after] = [await page.inputValue("#old"), await page.inputValue("#new")];
  await page.fill("#new", old);
  await difference(page, "No difference");
  await page.fill("#old", after);
  await difference(page, "Allows less");
  await page.fill("#old", "[[token]]");
  await difference(page, "No answer");
  await close(page);
});

check("each example has an answer and a difference", async () => {
  const page = await open();
  await stamp(page, "Denied");
  const count = await page.locator("#example option").count();
  for (let at = 0; at < count; at++) {
    await page.selectOption("#example", String(at));
    await page.locator("#verdict.allow, #verdict.deny, #verdict.refuse").waitFor();
    assert.deepEqual(await page.locator("#policy-findings .mark.deny").count(), 0, `example ${at}`);
    await page.getByRole("tab", { name: "Compare two policies" }).click();
    await page.locator("#difference.warn, #difference.allow").waitFor();
    await page.getByRole("tab", { name: "Decide a request" }).click();
  }
  await close(page);
});

const HOSTILE = `<img src=x onerror=alert(1)><script>alert(2)</script>\u202e\u001b[31m\u200b"'`;

check("text of others stays text", async () => {
  const page = await open();
  await stamp(page, "Denied");
  const good = await page.inputValue("#policy");
  await page.fill("#policy", good.replace('name = "ci-comments"', `name = ${JSON.stringify(HOSTILE.replace("\u001b", ""))}`));
  await page.fill("#request", `GET /rest/${HOSTILE}`);
  await page.locator("#policy-status", { hasText: "invisible characters: line 2: \\u{202e}" }).waitFor();
  await page.fill("#policy", `${good}\n${HOSTILE} = 1\n`);
  await stamp(page, "No policy");
  await page.getByRole("tab", { name: "Compare two policies" }).click();
  await page.fill("#new", good.replace("ci-comments", `a\\u202e<b>`));
  await page.locator("#differences h3, #new-findings li").first().waitFor();
  await page.locator("#settings summary").click();
  await page.fill("#config", `[upstream]\nproduct = ${JSON.stringify(HOSTILE.replace("\u001b", ""))}`);
  await page.locator(".field.bad #config").waitFor();
  for (const name of ["img", "script:not([src])", "b:not(.line b)"]) assert.equal(await page.locator(`main ${name}`).count(), 0, name);
  const shown = await page.evaluate(() => document.body.innerText);
  assert.doesNotMatch(shown, /[\u202e\u001b\u200b]/);
  await close(page);
});

check("a link carries the page, and a secret is left out of it", async () => {
  const page = await open();
  await stamp(page, "Denied");
  await page.getByRole("tab", { name: "Compare two policies" }).click();
  await page.fill("#new", "# é \u{1f511}\n[[token]]\n");
  await page.getByRole("tab", { name: "Decide a request" }).click();
  await page.fill("#request", `GET /rest/twd_${"a1".repeat(19)}`);
  await page.getByRole("button", { name: "Link to this" }).click();
  await page.locator("#status", { hasText: "The link is in the address bar" }).waitFor();
  const [texts, hash] = await page.evaluate(() => [["policy", "config", "old", "new"].map((id) => document.getElementById(id).value), location.hash.slice(1)]);
  assert.match(hash, /^1\.[A-Za-z0-9_-]+$/);
  await close(page);
  const other = await open(hash);
  const opened = await other.evaluate(() => ["policy", "config", "old", "new"].map((id) => document.getElementById(id).value));
  assert.deepEqual(opened, texts);
  assert.equal(await other.inputValue("#request"), "GET /rest/twd_SECRET");
  await close(other);
});

check("a hostile link is refused or is only text", async () => {
  const plain = (value) => `0.${Buffer.from(JSON.stringify(value)).toString("base64url")}`;
  const { deflateRawSync } = await import("node:zlib");
  const packed = (text) => `1.${deflateRawSync(Buffer.from(text)).toString("base64url")}`;
  const damaged = ["1.!!", "1.AAAA", "0.", "0.e30x", plain([]), plain(null), plain({ policy: 1 }), plain({ policy: { length: 1 } }), packed("x".repeat(1 << 20)), `0.${"A".repeat(1 << 17)}`, packed("\ud800")];
  for (const fragment of damaged) {
    const page = await open(fragment);
    assert.match(await page.locator("#status").innerText(), /an example is shown instead/, fragment.slice(0, 30));
    await stamp(page, "Denied");
    await close(page);
  }
  const page = await open(plain({ __proto__: null, constructor: "x", tab: HOSTILE, policy: HOSTILE, request: HOSTILE, token: HOSTILE }));
  await stamp(page, "No policy");
  assert.equal(await page.inputValue("#policy"), HOSTILE);
  await close(page);
});

check("the keyboard is enough, and nothing is wrong for a screen reader", async () => {
  const page = await open();
  await stamp(page, "Denied");
  await page.waitForTimeout(0);
  await accessible(page, "decide");
  await page.locator("#tab-decide").focus();
  await page.keyboard.press("ArrowRight");
  await difference(page, "Allows more");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-compare");
  await accessible(page, "compare");
  await page.keyboard.press("ArrowLeft");
  await stamp(page, "Denied");
  await page.locator("body").press("Tab");
  await close(page);
});

check("wide and narrow, light and dark: nothing scrolls sideways", async () => {
  for (const [width, height] of [[1280, 900], [375, 812], [320, 640]]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open("", { viewport: { width, height }, colorScheme });
      await stamp(page, "Denied");
      await page.locator("#policy-status", { hasText: /warning|findings/ }).waitFor();
      for (const name of ["decide", "compare"]) {
        await page.locator(`#tab-${name}`).click();
        if (name === "compare") await difference(page, "Allows more");
        await accessible(page, `${name} ${width} ${colorScheme}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(over <= 0, `${name} at ${width}: ${over} pixels too wide`);
        await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
      await close(page);
    }
  }
});

check("a check of a small policy takes less than a millisecond", async () => {
  const page = await open();
  await stamp(page, "Denied");
  const [policy, config] = [await page.inputValue("#policy"), await page.inputValue("#config")];
  const best = await page.evaluate(async (texts) => {
    const { instance } = await WebAssembly.instantiate(await (await fetch("playground.wasm")).arrayBuffer(), {});
    const { memory, room, ask } = instance.exports;
    const bytes = new TextEncoder().encode(JSON.stringify({ now_ms: Date.now(), ask: "check", ...texts }));
    const once = () => {
      const at = room(bytes.length);
      new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
      const began = performance.now();
      ask();
      return performance.now() - began;
    };
    return Math.min(...Array.from({ length: 500 }, once));
  }, { policy, config });
  // The best of many: the others waited for a processor.
  console.log(`    ${best.toFixed(3)} ms a check`);
  assert.ok(best < 1, `${best} ms`);
  await close(page);
});

let failed = 0;
for (const [name, run] of checks) {
  const began = Date.now();
  try {
    await run();
    assert.deepEqual(faults.splice(0), []);
    assert.deepEqual(strays.splice(0), []);
    console.log(`ok   ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.message}\n     ${[...faults.splice(0), ...strays.splice(0)].join("\n     ")}`);
  }
}
await browser.close();
server.close();
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
