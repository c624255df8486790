// What an operator does with the dashboard, in a real browser. Arguments: the dashboard's URL, the API's URL, a token, and
// a directory for pictures, or nothing. Modules are taken from NODE_PATH, the browser from CHROMIUM.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [url, api, token, pictures] = process.argv.slice(2);
const require = createRequire(join(process.env.NODE_PATH, "any.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const troubles = [];

const open = async (options) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    const text = message.text();
    // A page that asks before it acts, or refuses, says so by its status.
    if (message.type() === "error" && !/status of 4\d\d/.test(text)) troubles.push(`${page.url()}: ${text}`);
  });
  await page.goto(url);
  await page.fill("input[name=token]", token);
  await page.click("button.main");
  await page.waitForSelector("h1");
  return page;
};

const asked = async (path, options = {}) => {
  const answer = await fetch(`${api}${path}`, { ...options, headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).data;
};
const run = (job) => asked(`/${job}/trigger?wait=30s`, { method: "POST" });
const confirm = async (page) => {
  await page.click("form.ask button.main");
  await page.waitForLoadState();
};
const step = (name) => console.log(`- ${name}`);

const failed = await run("failing");
const done = await run("report");
const page = await open();

step("a run is watched from running to succeeded without a reload");
await page.waitForSelector("#live.on");
await page.click("a[href='jobs/gated/trigger']");
assert.match(await page.textContent("form.ask"), /testing/);
await confirm(page);
await page.waitForSelector(".st.run");
await page.evaluate(() => (window.stays = true));
await page.waitForSelector("text=waits for the opener", { timeout: 10_000 });
await page.waitForSelector("progress[value='1'][max='3']");
await run("opener");
await page.waitForSelector(".st.ok", { timeout: 10_000 });
await page.waitForSelector("progress[value='3'][max='3']", { timeout: 10_000 });
assert.equal(await page.evaluate(() => window.stays), true);

step("a job is paused and resumed");
await page.goto(`${url}jobs/report/pause`);
await page.fill("input[name=reason]", "the books are closed");
await confirm(page);
assert.match(await page.textContent("main"), /the books are closed/);
await page.click("a[href$='report/resume']");
await confirm(page);
assert.doesNotMatch(await page.textContent("main"), /the books are closed/);

step("a failed run's trace is seen");
await page.goto(`${url}executions/${failed.id}`);
assert.match(await page.textContent("main"), /no luck/);
await page.waitForSelector(".st.bad");

step("a running one is cancelled");
await page.goto(`${url}jobs/gated/trigger`);
await confirm(page);
await page.waitForSelector(".st.run");
await page.click("a[href$='/cancel']");
await confirm(page);
await page.waitForSelector("text=cancelled", { timeout: 30_000 });

step("what others do is seen without a reload");
await page.goto(url);
await page.waitForSelector("#live.on");
await page.evaluate(() => (window.stays = true));
await asked("/report/pause", { method: "POST" });
await page.waitForSelector("a[href='jobs/report/resume']", { timeout: 10_000 });
await asked("/report/resume", { method: "POST" });
await page.waitForSelector("a[href='jobs/report/pause']", { timeout: 10_000 });
assert.equal(await page.evaluate(() => window.stays), true);

const pages = {
  jobs: "",
  job: "jobs/report",
  execution: `executions/${failed.id}`,
  result: `executions/${done.id}`,
  executions: "executions",
  timeline: "timeline",
  instances: "instances",
  audit: "audit",
  question: "jobs/report/trigger",
};
step("every page fits, loads nothing that is refused, and is read by everybody");
for (const [width, height] of [[1280, 800], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(url + path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} px too wide at ${width}`);
      // The policy keeps scripts out that the page does not serve: this one is the test's.
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run());
      assert.ok(found.passes.length > 10, `${name} was looked at`);
      const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(serious.map(({ id, nodes }) => `${name} ${width} ${colorScheme}: ${id} ${nodes[0].html}`), []);
      if (pictures && (name === "jobs" || (colorScheme === "light" && width === 1280))) {
        const file = `${name}${width === 390 ? "-phone" : ""}${colorScheme === "dark" ? "-dark" : ""}.png`;
        await page.screenshot({ path: join(pictures, file) });
      }
    }
  }
}

step("the keyboard is enough");
await page.setViewportSize({ width: 1280, height: 800 });
await page.goto(url);
await page.keyboard.press("Tab");
assert.equal(await page.evaluate(() => document.activeElement.className), "skip-link");
await page.keyboard.press("/");
assert.equal(await page.evaluate(() => document.activeElement.id), "q");

step("all of it works without JavaScript");
const plain = await open({ javaScriptEnabled: false });
await plain.click("a[href='jobs/report/trigger']");
await confirm(plain);
await plain.waitForSelector("text=report #");
await plain.goto(`${url}jobs/report/pause`);
await confirm(plain);
assert.match(await plain.textContent("main"), /paused/);
await plain.click("a[href$='report/resume']");
await confirm(plain);
await plain.goto(`${url}executions/${failed.id}`);
await plain.click("a[href$='/retry']");
await confirm(plain);
await plain.goto(`${url}?q=report`);
assert.equal(await plain.locator("tbody tr").count(), 1);
await plain.goto(`${url}?lang=id`);
assert.match(await plain.textContent("h1"), /Pekerjaan/);

assert.deepEqual(troubles, []);
await browser.close();
