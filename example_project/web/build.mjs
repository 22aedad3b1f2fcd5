// Builds the page into dist/: `npm run build`. The same sources give the same bytes.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const src = path.join(here, "src");
const dist = path.join(here, "dist");

async function bundle() {
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: ["src/main.js"],
    outdir: "dist/assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    format: "esm",
    loader: { ".svg": "text" },
    metafile: true,
    minify: true,
    preserveSymlinks: true, // the names stay the same where node_modules is a link
    splitting: true,
    target: "es2022",
  });
  return metafile;
}

async function hashed(file) {
  const content = await readFile(path.join(src, file));
  const { name, ext } = path.parse(file);
  const target = `assets/${name}-${createHash("sha256").update(content).digest("hex").slice(0, 8)}${ext}`;
  await writeFile(path.join(dist, target), content);
  return target;
}

// The page names its files as they are in src/; here each gets the name that it has in dist/.
async function page(names) {
  let html = await readFile(path.join(src, "index.html"), "utf8");
  for (const [name, target] of Object.entries(names)) {
    html = html.replaceAll(name, target);
  }
  await writeFile(path.join(dist, "index.html"), html);
}

await rm(dist, { recursive: true, force: true });
await mkdir(path.join(dist, "assets"), { recursive: true });
const metafile = await bundle();
const [script, { cssBundle }] = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === "src/main.js");
await page({
  "main.js": path.posix.relative("dist", script),
  "main.css": path.posix.relative("dist", cssBundle),
  "hero.jpg": await hashed("hero.jpg"),
  "hero-800.jpg": await hashed("hero-800.jpg"),
});
await writeFile(path.join(dist, "metafile.json"), JSON.stringify(metafile, null, 1));
