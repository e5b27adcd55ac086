// Opens a report as its readers do: offline, in both themes, on a phone, on paper, without scripts,
// with a keyboard.
//
// REPORT names a report file to open; without it the made-up one is written first. CHROMIUM names the
// browser. SCREENSHOTS names the folder for pictures, which are for people to look at.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "out");
const screenshots = process.env.SCREENSHOTS ?? out;
const report = process.env.REPORT ?? path.join(out, "report.html");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const STATIC_ROWS = 200;

let browser;

before(async () => {
  mkdirSync(out, { recursive: true });
  mkdirSync(screenshots, { recursive: true });
  if (!process.env.REPORT) {
    execFileSync("cargo", ["run", "--quiet", "-p", "entente-web", "--example", "sample_report", "--", report],
      { cwd: here, stdio: "inherit" });
  }
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
});

after(() => browser?.close());

/** Opens the report with the network blocked, and tells at the end what the page tried or complained of. */
async function open(options) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const tried = [];
  const complaints = [];
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith("file:") || url.startsWith("data:")) return route.continue();
    tried.push(url);
    return route.abort();
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  await page.goto(pathToFileURL(report).href);
  return {
    page,
    async close() {
      assert.deepEqual(tried, [], "the page asked the network");
      assert.deepEqual(complaints, [], "the page complained");
      await context.close();
    },
  };
}

/** Waits until the charts had their turn. */
async function charts(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return page.$$eval("figure.chart", (figures) => figures.map((figure) => {
    const svg = figure.querySelector(".chart-live svg");
    const box = svg?.getBoundingClientRect();
    return { id: figure.id, width: box?.width ?? 0, height: box?.height ?? 0, shapes: svg?.querySelectorAll("path").length ?? 0 };
  }));
}

async function violations(page) {
  // The page's policy forbids to load the checker, not to evaluate it.
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return result.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 3).map((node) => node.html.slice(0, 200)), count: nodes.length }));
}

const names = (page) => page.$$eval("#workload-table tbody th", (cells) => cells.map((cell) => cell.textContent));
const status = (page) => page.textContent("#workload-status");
const total = (page) => page.$eval("#workload-data", (data) => JSON.parse(data.textContent).total);

for (const colorScheme of ["light", "dark"]) {
  for (const [name, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    test(`${name}, ${colorScheme}: charts are drawn, nothing scrolls sideways, axe finds nothing`, async () => {
      const { page, close } = await open({ colorScheme, viewport });
      const drawn = await charts(page);
      await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}-first.png`) });
      await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}.png`), fullPage: true });
      assert.ok(drawn.length >= (process.env.REPORT ? 3 : 18), `${drawn.length} charts`);
      for (const chart of drawn) {
        assert.ok(chart.width > 200 && chart.height > 60 && chart.shapes > 0, JSON.stringify(chart));
      }
      const { scroll, client } = await page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth,
      }));
      assert.ok(scroll <= client, `page is ${scroll} wide in a window of ${client}`);
      assert.deepEqual(await violations(page), []);
      await close();
    });
  }
}

test("open folds and a long table of rows made by the script are accessible too", async () => {
  const { page, close } = await open();
  await page.selectOption("#workload-filter [name=kind]", "machine");
  await page.$$eval("figure details, .source details, #quality details", (folds) => folds.forEach((fold) => { fold.open = true; }));
  await page.$$eval("#workload-table details", (folds) => folds.slice(0, 5).forEach((fold) => { fold.open = true; }));
  assert.deepEqual(await violations(page), []);
  await page.locator("#workloads").screenshot({ path: path.join(screenshots, "workloads.png") });
  await close();
});

test("without scripts: headline numbers, static charts and the first rows are there", async () => {
  const { page, close } = await open({ javaScriptEnabled: false });
  const headlines = await page.locator(".headline-value").allTextContents();
  assert.equal(headlines.length, 8);
  for (const value of headlines) assert.match(value, /\d/);
  assert.ok(await page.locator(".headlines").isVisible());
  assert.ok(await page.locator("#complexity-curve svg.curve").isVisible());
  const rows = await page.locator("#workload-table tbody tr").count();
  assert.match(await status(page), new RegExp(`Showing ${rows} of `));
  assert.ok(rows > 0 && rows <= STATIC_ROWS);
  assert.equal(await page.locator("#workload-filter").isVisible(), false);
  assert.equal(await page.locator("#theme").isVisible(), false);
  await page.screenshot({ path: path.join(screenshots, "no-script.png"), fullPage: true });
  await close();
});

test("rows made by the script are those that came as HTML", async () => {
  const { page, close } = await open();
  const texts = () => page.$$eval("#workload-table tbody tr", (rows) => rows.map((row) => {
    row.querySelectorAll("details").forEach((fold) => { fold.open = true; });
    return row;
  }).map((row) => row.innerText.replace(/\s+/g, " ")));
  const before = await texts();
  // Twice, so that the order is the first again.
  await page.click("th[data-column=complexity] button");
  await page.click("th[data-column=complexity] button");
  await page.$$eval("#workload-table tbody details", (folds) => folds.forEach((fold) => { fold.open = true; }));
  await page.waitForFunction(() => [...document.querySelectorAll("#workload-table tbody details")].every((fold) => fold.querySelector("dl")));
  assert.deepEqual(await texts(), before);
  await close();
});

test("columns sort both ways, and what is not known comes last", async () => {
  const { page, close } = await open();
  await page.click("th[data-column=name] button");
  const ascending = await names(page);
  assert.equal(await page.getAttribute("th[data-column=name]", "aria-sort"), "ascending");
  await page.click("th[data-column=name] button");
  const descending = await names(page);
  assert.equal(await page.getAttribute("th[data-column=name]", "aria-sort"), "descending");
  assert.notEqual(ascending[0], descending[0]);
  const collator = new Intl.Collator("en", { numeric: true });
  assert.ok(collator.compare(ascending[0], ascending.at(-1)) <= 0);
  assert.ok(collator.compare(descending[0], descending.at(-1)) >= 0);
  await page.click("th[data-column=memory_mib] button");
  const column = await page.$eval("th[data-column=memory_mib]", (cell) => cell.cellIndex + 1);
  const first = await page.textContent(`#workload-table tbody tr:first-child td:nth-child(${column})`);
  assert.match(first, /iB$/);
  const unknown = await page.$eval("#workload-data", (data) => JSON.parse(data.textContent).columns.memory_mib.filter((code) => code < 0).length);
  const pages = Math.ceil(await total(page) / STATIC_ROWS);
  for (const direction of unknown > 0 && pages <= 10 ? ["descending", "ascending"] : []) {
    assert.equal(await page.getAttribute("th[data-column=memory_mib]", "aria-sort"), direction);
    for (let turned = 1; turned < pages; turned += 1) await page.click("#workload-pages [data-page='1']");
    const last = await page.textContent(`#workload-table tbody tr:last-child td:nth-child(${column})`);
    assert.match(last, /not observed|none/);
    await page.click("th[data-column=memory_mib] button");
  }
  await close();
});

test("text, target and verdict filters narrow the table and say by how much", async () => {
  const { page, close } = await open();
  const all = await total(page);
  const name = (await names(page))[0];
  await page.fill("#workload-filter [name=text]", name.split(" ")[0]);
  assert.ok((await names(page)).includes(name));
  await page.click("#workload-filter [type=reset]");
  await page.waitForFunction((all) => document.getElementById("workload-status").textContent.endsWith(`of ${all.toLocaleString("en-GB")} workloads.`) && !document.getElementById("workload-status").textContent.includes("matching"), all);

  const target = await page.$eval("#workload-filter [name=target] option:nth-child(2)", (option) => option.value);
  const expected = await page.$eval("#workload-data", (element, target) => {
    const data = JSON.parse(element.textContent);
    return data.columns[`target:${target}`].filter((place) => place >= 0 && data.outcomes[place][1] === "blocked").length;
  }, target);
  await page.selectOption("#workload-filter [name=target]", target);
  await page.selectOption("#workload-filter [name=verdict]", "seen:blocked");
  const matching = (await status(page)).match(/of ([\d,]+) matching/)?.[1] ?? String(all);
  assert.equal(Number(matching.replaceAll(",", "")), expected);
  const column = await page.$eval(`th[data-column="target:${target}"]`, (cell) => cell.cellIndex + 1);
  const verdicts = await page.$$eval(`#workload-table tbody td:nth-child(${column})`, (cells) => cells.map((cell) => cell.innerText));
  assert.ok(verdicts.every((verdict) => verdict.includes("blocked")));
  await close();
});

test("a number of the heat map leads to exactly the machines that it counts", async () => {
  const { page, close } = await open();
  const link = page.locator(".heat-map a").first();
  if (await link.count() === 0) return close();
  const count = await link.locator("b").textContent();
  await link.click();
  const told = await status(page);
  assert.ok(told.includes(`of ${count} matching`) || told.includes(`–${count} of`), `${told} for ${count}`);
  assert.ok(await page.locator("#workloads h2").isVisible());
  await close();
});

test("pages turn, and every workload can be reached", async () => {
  const { page, close } = await open();
  const all = await total(page);
  if (all <= STATIC_ROWS) return close();
  await page.locator("#workload-pages").waitFor({ state: "visible" });
  const first = await names(page);
  await page.click("#workload-pages [data-page='1']");
  const second = await names(page);
  assert.notDeepEqual(second, first);
  assert.match(await status(page), new RegExp(`^Showing ${STATIC_ROWS + 1}–`));
  assert.equal(await page.textContent("#workload-page"), `Page 2 of ${Math.ceil(all / STATIC_ROWS).toLocaleString("en-GB")}`);
  await close();
});

test("a verdict leads to the check that decided it", async () => {
  const { page, close } = await open();
  const anchors = await page.$$eval("a[href^='#']", (links) => [...new Set(links.map((link) => link.getAttribute("href").slice(1)))]
    .filter((id) => !document.getElementById(id)));
  assert.deepEqual(anchors, [], "links to nowhere");
  const folded = page.locator("#checks details tr[id]").first();
  if (await folded.count() > 0) {
    assert.equal(await folded.isVisible(), false);
    const id = await folded.getAttribute("id");
    await page.evaluate((id) => { location.hash = id; }, id);
    await folded.waitFor({ state: "visible" });
  }
  await close();
});

test("the theme button works with a keyboard and charts follow", async () => {
  const { page, close } = await open({ colorScheme: "light" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  const drawing = () => page.$eval("#complexity-curve .chart-live", (chart) => chart.innerHTML);
  const before = await drawing();
  await page.focus("#theme");
  await page.keyboard.press("Enter");
  assert.equal(await background(), light);
  await page.keyboard.press("Enter");
  assert.equal(await page.textContent("#theme"), "Theme: dark");
  assert.notEqual(await background(), light);
  assert.notEqual(await drawing(), before);
  await close();
});

test("wide tables and sorting are reachable with a keyboard", async () => {
  const { page, close } = await open();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.focus("th[data-column=vcpus] button");
  await page.keyboard.press("Enter");
  assert.equal(await page.getAttribute("th[data-column=vcpus]", "aria-sort"), "descending");
  const unreachable = await page.$$eval(".scroll", (regions) => regions.filter((region) => region.tabIndex !== 0).length);
  assert.equal(unreachable, 0);
  await close();
});

test("on paper: static charts, no controls, light", async () => {
  const { page, close } = await open({ colorScheme: "dark" });
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#theme").isVisible(), false);
  assert.equal(await page.locator("#workload-filter").isVisible(), false);
  assert.equal(await page.locator("#complexity-curve .chart-live").isVisible(), false);
  assert.ok(await page.locator("#complexity-curve .chart-static").isVisible());
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  await page.pdf({ path: path.join(screenshots, "print.pdf"), preferCSSPageSize: true, printBackground: true });
  await close();
});
