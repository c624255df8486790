// What an operator does with the dashboard, in a real browser. Arguments: the service's URL, below which dashboards are at
// `ops/`, at `away/` (its store does not answer) and at `empty/` (it has no jobs), the API's URL, a token, and a directory
// for pictures, or nothing. Modules are taken from NODE_PATH, the browser from CHROMIUM.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [service, api, token, pictures] = process.argv.slice(2);
const url = `${service}ops/`;
const require = createRequire(join(process.env.NODE_PATH, "any.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const troubles = [];

const open = async (options, at = url) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    const text = message.text();
    // A page that asks before it acts, refuses, or is without its store, says so by its status.
    if (message.type() === "error" && !/status of (4\d\d|503)/.test(text)) troubles.push(`${page.url()}: ${text}`);
  });
  await page.goto(at);
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

const failed = await run("mail.birthdays");
const done = await run("report.weekly");
// One that was tried three times, in the history that the service came with.
const [payroll] = await asked("/payroll.export/history?status=failed&limit=1");
const page = await open();

step("a run is watched from running to succeeded without a reload");
await page.waitForSelector("#live.on");
await page.click("a[href='jobs/leave.accrual/trigger']");
assert.match(await page.textContent("form.ask"), /testing/);
await confirm(page);
await page.waitForSelector(".st.run");
await page.evaluate(() => (window.stays = true));
await page.waitForSelector("text=waits for the books", { timeout: 10_000 });
await page.waitForSelector("progress[value='1'][max='3']");
await run("books.open");
await page.waitForSelector(".st.ok", { timeout: 10_000 });
await page.waitForSelector("progress[value='3'][max='3']", { timeout: 10_000 });
assert.equal(await page.evaluate(() => window.stays), true);

step("a job is paused and resumed");
await page.goto(`${url}jobs/report.weekly/pause`);
await page.fill("input[name=reason]", "the books are closed");
await confirm(page);
assert.match(await page.textContent("main"), /the books are closed/);
await page.click("a[href$='report.weekly/resume']");
await confirm(page);
assert.doesNotMatch(await page.textContent("main"), /the books are closed/);

step("a failed run's trace is seen");
await page.goto(`${url}executions/${failed.id}`);
assert.match(await page.textContent("main"), /no luck/);
await page.waitForSelector(".st.bad");

step("a running one is cancelled");
await page.goto(`${url}jobs/leave.accrual/trigger`);
await confirm(page);
await page.waitForSelector(".st.run");
await page.click("a[href$='/cancel']");
await confirm(page);
await page.waitForSelector("text=cancelled", { timeout: 30_000 });

step("what others do is seen without a reload");
await page.goto(url);
await page.waitForSelector("#live.on");
await page.evaluate(() => (window.stays = true));
await asked("/report.weekly/pause", { method: "POST" });
await page.waitForSelector("a[href='jobs/report.weekly/resume']", { timeout: 10_000 });
await asked("/report.weekly/resume", { method: "POST" });
await page.waitForSelector("a[href='jobs/report.weekly/pause']", { timeout: 10_000 });
assert.equal(await page.evaluate(() => window.stays), true);

step("jobs are found as one types, and the address says which");
await page.goto(url);
await page.waitForSelector("#live.on");
const rows = () => page.locator("main table tbody tr").count();
const all = await rows();
await page.keyboard.press("/");
await page.keyboard.type("birthd");
await page.waitForFunction(() => document.querySelectorAll("main table tbody tr").length === 1);
assert.match(page.url(), /\?q=birthd$/);
assert.equal(await page.evaluate(() => document.activeElement.id), "q");
for (let letters = 0; letters < 6; letters += 1) await page.keyboard.press("Backspace");
await page.waitForFunction((all) => document.querySelectorAll("main table tbody tr").length === all, all);
await page.click(".chip[href*='tag=etl']");
assert.equal(await rows(), 4);
await page.click(".chip[href*='show=failing']");
assert.match(page.url(), /tag=etl/);
assert.match(page.url(), /show=failing/);

step("each number leads to what it counts");
await page.goto(url);
for (const link of await page.locator(".kpis a").evaluateAll((links) => links.map((link) => link.href))) {
  const answer = await page.goto(link);
  assert.equal(answer.status(), 200, link);
}
assert.equal(await page.goto(url).then(() => page.locator(".kpis > *").count()), await page.locator(".kpis > a").count());

step("a chain is walked by its picture");
await page.goto(`${url}jobs/etl.transform`);
await page.click(".chain a[href$='etl.load']");
await page.waitForSelector("h1:has-text('etl.load')");

step("files have what the list shows");
for (const kind of ["csv", "json"]) {
  await page.goto(`${url}executions?job=payroll.export&hours=168&status=failed`);
  const listed = await page.locator("main table tbody tr").count();
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(`a[download][href*='.${kind}']`)]);
  const text = readFileSync(await file.path(), "utf8");
  const many = kind === "csv" ? text.trim().split("\r\n").length - 1 : JSON.parse(text).length;
  assert.equal(many, listed, text);
}

// One runs while the pages are looked at.
const running = await asked("/leave.accrual/trigger", { method: "POST" });
const away = await open({}, `${service}away/`);
const empty = await open({}, `${service}empty/`);
const pages = {
  jobs: [page, url],
  job: [page, `${url}jobs/etl.extract`],
  "clock-change": [page, `${url}jobs/stock.count`],
  execution: [page, `${url}executions/${payroll.id}`],
  result: [page, `${url}executions/${done.id}`],
  refused: [page, `${url}executions/999999999`],
  executions: [page, `${url}executions?hours=168`],
  timeline: [page, `${url}timeline`],
  instances: [page, `${url}instances`],
  audit: [page, `${url}audit`],
  question: [page, `${url}jobs/report.weekly/trigger`],
  backfill: [page, `${url}jobs/report.weekly/backfill`],
  away: [away, `${service}away/`],
  "away-job": [away, `${service}away/jobs/etl.transform`],
  "away-executions": [away, `${service}away/executions`],
  empty: [empty, `${service}empty/`],
  "empty-timeline": [empty, `${service}empty/timeline`],
  failed: [page, `${url}executions/${failed.id}`],
};
// Of these there are pictures, in light at 1280 px; of the first ones in dark and on a phone, too.
const shown = ["jobs", "timeline", "job", "clock-change", "execution", "result", "executions", "instances", "audit", "question", "away", "empty"];
const inAll = ["jobs", "timeline"];
const onPhone = [...inAll, "job", "execution"];
step("every page fits, loads nothing that is refused, and is read by everybody");
const problems = [];
for (const [width, height] of [[1280, 800], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, [page, path]] of Object.entries(pages)) {
      const [phone, dark] = [width === 390, colorScheme === "dark"];
      // Colours are the same at both widths.
      if (dark && phone && !inAll.includes(name)) continue;
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.goto(path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) problems.push(`${name} is ${wide} px too wide at ${width}`);
      const cut = await page.evaluate(() => [...document.querySelectorAll(".card:not(.wide)")].filter((card) => card.scrollWidth > card.clientWidth).length);
      if (cut > 0) problems.push(`${cut} parts of ${name} are cut at ${width}`);
      // The policy keeps scripts out that the page does not serve: this one is the test's.
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run());
      assert.ok(found.passes.length > 10, `${name} was looked at`);
      const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      problems.push(...serious.map(({ id, nodes }) => `${name} ${width} ${colorScheme}: ${id} ${nodes[0].html}`));
      const wanted = dark ? inAll : phone ? onPhone : shown;
      if (pictures && wanted.includes(name)) {
        const file = `${name}${phone ? "-phone" : ""}${dark ? "-dark" : ""}.png`;
        await page.screenshot({ path: join(pictures, file), fullPage: !phone && name !== "executions" });
      }
    }
  }
}

assert.deepEqual(problems, []);
await asked(`/executions/${running.id}/cancel`, { method: "POST" });

step("a page without its store says so, shows what is known, and asks again by itself");
await away.goto(`${service}away/`);
assert.match(await away.textContent("main"), /does not answer.*unknown/s);
assert.equal(await away.locator("main table tbody tr").count(), all);
assert.equal(await away.locator("a[href$='/trigger']").count(), 0);
await away.evaluate(() => (document.querySelector("main h1").id = "old"));
await away.waitForFunction(() => !document.getElementById("old"), null, { timeout: 10_000 });
await empty.goto(`${service}empty/`);
assert.match(await empty.textContent("main"), /jobs!\[/);

step("a connection that was lost is said to be");
await page.setViewportSize({ width: 1280, height: 800 });
await page.goto(url);
await page.waitForSelector("#live.on");
const before = troubles.length;
await page.route("**/events", (route) => route.abort());
await page.reload();
await page.waitForSelector("#live.off:has-text('reconnecting')");
await page.unroute("**/events");
// What the browser says of the request that was aborted is no trouble.
troubles.length = before;
await page.waitForSelector("#live.on", { timeout: 20_000 });

step("the keyboard is enough");
await page.setViewportSize({ width: 1280, height: 800 });
await page.goto(url);
await page.keyboard.press("Tab");
assert.equal(await page.evaluate(() => document.activeElement.className), "skip-link");
await page.keyboard.press("/");
assert.equal(await page.evaluate(() => document.activeElement.id), "q");

step("all of it works without JavaScript");
const plain = await open({ javaScriptEnabled: false });
await plain.click("a[href='jobs/report.weekly/trigger']");
await confirm(plain);
await plain.waitForSelector("text=report.weekly #");
await plain.goto(`${url}jobs/report.weekly/pause`);
await confirm(plain);
assert.match(await plain.textContent("main"), /paused/);
await plain.click("a[href$='report.weekly/resume']");
await confirm(plain);
await plain.goto(`${url}executions/${failed.id}`);
await plain.click("a[href$='/retry']");
await confirm(plain);
await plain.goto(`${url}?q=report.weekly`);
assert.equal(await plain.locator("tbody tr").count(), 1);
await plain.goto(`${url}?lang=id`);
assert.match(await plain.textContent("h1"), /Pekerjaan/);

assert.deepEqual(troubles, []);
await browser.close();
