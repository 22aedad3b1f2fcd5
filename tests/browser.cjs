// Opens a page in a real Chrome and does what a test says: reads {modules, chrome, url, script, width, dark} as JSON
// from its input, and writes {result, ready, requests, console, dialogs} to its output. `ready` is when the table could
// be used, in milliseconds since the navigation began.
const { createRequire } = require("node:module");
const fs = require("node:fs");

async function main(order) {
  const puppeteer = createRequire(`${order.modules}/`)("puppeteer-core");
  const browser = await puppeteer.launch({
    executablePath: order.chrome,
    args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    const page = await browser.newPage();
    const seen = { requests: [], console: [], dialogs: [] };
    page.on("request", (one) => one.url().startsWith("data:") || seen.requests.push(one.url()));
    page.on("console", (one) => ["error", "warn"].includes(one.type()) && seen.console.push(one.text()));
    page.on("pageerror", (error) => seen.console.push(String(error)));
    page.on("dialog", async (dialog) => {
      seen.dialogs.push(dialog.message());
      await dialog.dismiss();
    });
    await page.setViewport({ width: order.width, height: 800, deviceScaleFactor: order.sharpness || 1 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: order.dark ? "dark" : "light" }]);
    const start = performance.now();
    await page.goto(order.url, { waitUntil: "domcontentloaded" });
    await page.waitForSelector("html[data-ready]", { timeout: 20000 });
    const ready = performance.now() - start;
    const drawn = () =>
      page.waitForFunction(
        () => [...document.querySelectorAll(".chart")].every((one) => one.dataset.drawn) || "",
        { timeout: 20000 },
      );
    const act = Object.getPrototypeOf(main).constructor;
    const result = await new act("page", "drawn", order.script)(page, drawn);
    return { result: result ?? null, ready, ...seen };
  } finally {
    await browser.close();
  }
}

main(JSON.parse(fs.readFileSync(0, "utf8"))).then(
  (told) => process.stdout.write(JSON.stringify(told)),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);
