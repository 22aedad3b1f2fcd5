// Opens each page in a fresh Chrome profile and waits until the network is idle, without any input. Reads {modules,
// chrome, urls} as JSON from its input and writes a list to its output: for each page the scripts and styles that it
// loaded, by path, with the bytes of their bodies before compression; what was only prefetched, for a later page, is a
// list of its own.
const { createRequire } = require("node:module");
const fs = require("node:fs");

const COUNTED = /javascript|ecmascript|text\/css/;

async function visit(browser, url) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const bodies = [];
  const prefetched = [];
  page.on("response", (response) => {
    const type = response.headers()["content-type"] || "";
    if (!COUNTED.test(type) || !response.ok() || !response.url().startsWith("http")) return;
    const path = new URL(response.url()).pathname;
    const headers = response.request().headers();
    if (/prefetch/.test(headers["sec-purpose"] || headers.purpose || "")) prefetched.push(path);
    else bodies.push(response.buffer().then((bytes) => [path, bytes.length]));
  });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  await page.goto(url, { waitUntil: "networkidle0", timeout: 60000 });
  await new Promise((done) => setTimeout(done, 500));
  const files = Object.fromEntries(await Promise.all(bodies));
  await context.close();
  return { files, prefetched, wrong };
}

async function main(order) {
  const puppeteer = createRequire(`${order.modules}/`)("puppeteer-core");
  const browser = await puppeteer.launch({
    executablePath: order.chrome,
    args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    const seen = [];
    for (const url of order.urls) seen.push(await visit(browser, url));
    return seen;
  } finally {
    await browser.close();
  }
}

main(JSON.parse(fs.readFileSync(0, "utf8"))).then(
  (seen) => process.stdout.write(JSON.stringify(seen)),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);
