// A page's path in; what headless Chromium, axe-core, a keyboard and a phone find in it out, as JSON.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [path, executablePath] = process.argv.slice(2);
const address = pathToFileURL(path).href;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };

// A page, and what it asked of the network or complained of.
async function visit(options) {
  const page = await (await browser.newContext(options)).newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => request.url() === address || complaints.push(`asked for ${request.url()}`));
  page.on("dialog", (dialog) => complaints.push(`dialog ${dialog.message()}`) && dialog.dismiss());
  await page.goto(address);
  return { page, complaints };
}

async function look(viewport, colorScheme) {
  const { page, complaints } = await visit({ viewport, colorScheme });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.evaluate(() => document.querySelectorAll("details:not([hidden])").forEach((part) => (part.open = true)));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.context().close();
  const faults = violations.map((fault) => `${fault.id}: ${fault.nodes[0].html.slice(0, 200)}`);
  return { overflow, faults, background, complaints };
}

const status = (page) => page.textContent("[role=status]");
const shown = (page) => page.locator(".probe:visible").count();

// With a keyboard alone: from the top to the filters, to a probe and into it.
async function type() {
  const { page, complaints } = await visit({ viewport: WIDE });
  const seen = { first: await status(page), shown: await shown(page) };
  const focus = async (selector) => {
    for (let presses = 0; presses < 200; presses++) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return true;
      await page.keyboard.press("Tab");
    }
    return false;
  };
  seen.reached = [await focus("input[name=change]")];
  await page.keyboard.press("Space");
  await page.waitForTimeout(100);
  seen.none = await status(page);
  await page.keyboard.press("Space");
  seen.reached.push(await focus("select[name=suite]"));
  await page.keyboard.press("ArrowDown");
  await page.waitForTimeout(100);
  seen.suite = [await page.inputValue("select[name=suite]"), await status(page)];
  await page.keyboard.press("ArrowUp");
  seen.reached.push(await focus("input[type=search]"));
  await page.keyboard.type("NEEDLE right");
  await page.waitForTimeout(400);
  seen.found = await status(page);
  seen.reached.push(await focus(".probe > summary"));
  await page.keyboard.press("Enter");
  seen.opened = await page.locator(".probe[open] .answer:visible").count();
  seen.complaints = complaints;
  await page.context().close();
  return seen;
}

async function more() {
  const { page } = await visit({ viewport: WIDE });
  const before = await shown(page);
  const button = page.locator("[data-does=more]");
  if (!(await button.isVisible())) return { before };
  await button.click();
  const focused = await page.evaluate(() => document.activeElement.matches(".probe > summary"));
  return { before, after: await shown(page), status: await status(page), focused };
}

async function follow() {
  const { page } = await visit({ viewport: WIDE });
  await page.locator("table.chart a[data-category]:not([data-category=''])").first().click();
  await page.waitForTimeout(100);
  const seen = { category: await page.inputValue("select[name=category]"), status: await status(page) };
  await page.uncheck("input[value=lost]");
  await page.waitForTimeout(100);
  seen.none = await status(page);
  await page.locator("table.chart a[data-category]:not([data-category=''])").first().click();
  await page.waitForTimeout(100);
  return { ...seen, all: await status(page) };
}

async function withoutScript() {
  const { page } = await visit({ viewport: WIDE, javaScriptEnabled: false });
  const seen = { filters: await page.locator(".filters").isVisible(), waiting: await page.locator(".waiting").isVisible() };
  seen.shown = await shown(page);
  await page.locator(".group > summary").first().click();
  seen.opened = await shown(page);
  await page.locator(".probe:visible > summary").first().click();
  seen.answers = await page.locator(".answer:visible").count();
  return seen;
}

const hasProbes = (await (await visit({ viewport: WIDE })).page.locator("#groups").count()) > 0;
const looks = {
  light: await look(WIDE, "light"),
  dark: await look(WIDE, "dark"),
  phone: await look(NARROW, "light"),
};
const uses = hasProbes
  ? { keyboard: await type(), more: await more(), link: await follow(), withoutScript: await withoutScript() }
  : {};
console.log(JSON.stringify({ looks, ...uses }));
await browser.close();
