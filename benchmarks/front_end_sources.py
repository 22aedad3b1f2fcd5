"""The sources and settings of the small applications, one for each front-end tool.

All do the same. The first screen imports a module with a style sheet, and a click imports another one. A change puts
the package `three` into the first screen or behind the click, or another letter into each module and each style, so
that every file with a hash in its name has another name.
"""

import json
from collections.abc import Mapping
from enum import StrEnum

_THREE = 'import * as three from "three";\nglobalThis.keep = three;\n'


class Change(StrEnum):
    """What differs from the application as it is first."""

    NONE = "none"
    LETTERS = "letters"  # one more in each module, so that values differ and parts are compared
    EAGER = "eager"  # three in the first screen
    LAZY = "lazy"  # three behind the click


def _letter(change: Change) -> str:
    return "bb" if change is Change.LETTERS else "a"


def _style(change: Change, name: str) -> str:
    return f".{name} {{ color: #{_letter(change)[0] * 2}1234; }}\n"


def _greeting(change: Change) -> Mapping[str, str]:
    """The modules that all applications have: one of the first screen, and one behind a click; each has a style."""
    letter = _letter(change)
    return {
        "src/greeting.js": 'import "./greeting.css";\n'
        + (_THREE if change is Change.EAGER else "")
        + f"export const greet = (name) => `hello {letter}, ${{name}}`;\n",
        "src/greeting.css": _style(change, "greeting"),
        "src/later.js": 'import "./later.css";\n'
        + (_THREE if change is Change.LAZY else "")
        + f'export const later = () => "later {letter}";\n',
        "src/later.css": _style(change, "later"),
        "src/about.js": f'export const about = () => "about {letter}";\n',
    }


def _plain(change: Change) -> Mapping[str, str]:
    main = f"""\
import {{ greet }} from "./greeting.js";

document.querySelector("#app").textContent = greet("main {_letter(change)}");
document.querySelector("#more").addEventListener("click", async () => {{
  const {{ later }} = await import("./later.js");
  document.querySelector("#app").textContent = later();
}});
"""
    return {**_greeting(change), "src/main.js": main}


def _page(inside: str = "", before: str = "") -> str:
    return f"""\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">{before}</head>
<body><p id="app" class="greeting"></p><button id="more">more</button>{inside}</body>
</html>
"""


_SCRIPT = '<script type="module" src="./src/main.js"></script>'


def vite(change: Change) -> Mapping[str, str]:
    config = 'export default { base: "./", build: { manifest: true, sourcemap: "hidden" } };\n'
    return {**_plain(change), "index.html": _page(_SCRIPT), "vite.config.js": config}


def webpack(change: Change) -> Mapping[str, str]:
    config = """\
import Html from "html-webpack-plugin";
import Css from "mini-css-extract-plugin";

export default {
  mode: "production",
  entry: "./src/main.js",
  devtool: "hidden-source-map",
  output: { filename: "[name].[contenthash].js", clean: true },
  module: { rules: [{ test: /\\.css$/, use: [Css.loader, "css-loader"] }] },
  plugins: [new Css({ filename: "[name].[contenthash].css" }), new Html({ template: "page.html" })],
};
"""
    return {**_plain(change), "page.html": _page(), "webpack.config.js": config}


def tracker(change: Change) -> Mapping[str, str]:
    files = dict(webpack(change))
    config = files["webpack.config.js"].replace("plugins: [", "plugins: [\n    new Tracker({ path: 'dist' }),\n    ")
    files["webpack.config.js"] = 'import Tracker from "webpack-bundle-tracker";\n' + config
    return files


def rspack(change: Change) -> Mapping[str, str]:
    config = """\
import { rspack } from "@rspack/core";

export default {
  mode: "production",
  entry: { main: "./src/main.js" },
  devtool: "hidden-source-map",
  output: { filename: "[name].[contenthash].js", clean: true },
  module: {
    rules: [{ test: /\\.css$/, use: [rspack.CssExtractRspackPlugin.loader, "css-loader"], type: "javascript/auto" }],
  },
  plugins: [
    new rspack.CssExtractRspackPlugin({ filename: "[name].[contenthash].css" }),
    new rspack.HtmlRspackPlugin({ template: "page.html" }),
  ],
  stats: { entrypoints: true, chunks: true, chunkRelations: true, modules: true, assets: true, ids: true },
};
"""
    return {**_plain(change), "page.html": _page(), "rspack.config.mjs": config}


def rsbuild(change: Change) -> Mapping[str, str]:
    config = """\
export default {
  source: { entry: { main: "./src/main.js" } },
  html: { template: "page.html" },
  output: { manifest: true, sourceMap: { js: "hidden-source-map", css: true } },
};
"""
    return {**_plain(change), "page.html": _page(), "rsbuild.config.mjs": config}


def rollup(change: Change) -> Mapping[str, str]:
    config = f"""\
import resolve from "@rollup/plugin-node-resolve";

const page = {json.dumps(_page("SCRIPT", "STYLE"))};
const styles = {{
  name: "styles",
  transform(code, id) {{
    if (!id.endsWith(".css")) return null;
    const name = id.split("/").pop();
    this.emitFile({{ type: "asset", name, source: code }});
    return {{ code: "", map: null, moduleSideEffects: true }};
  }},
  generateBundle(options, bundle) {{
    const names = Object.keys(bundle);
    const script = names.find((name) => bundle[name].isEntry);
    const style = names.find((name) => name.startsWith("greeting") && name.endsWith(".css"));
    const link = `<link rel="stylesheet" href="./${{style}}">`;
    const source = page.replace("SCRIPT", `<script type="module" src="./${{script}}"></script>`).replace("STYLE", link);
    this.emitFile({{ type: "asset", fileName: "index.html", source }});
  }},
}};

export default {{
  input: "src/main.js",
  output: {{
    dir: "dist",
    format: "es",
    sourcemap: "hidden",
    entryFileNames: "[name]-[hash].js",
    chunkFileNames: "lazy/[name]-[hash].js",
    assetFileNames: "[name]-[hash][extname]",
  }},
  plugins: [resolve(), styles],
}};
"""
    return {**_plain(change), "rollup.config.js": config}


def parcel(change: Change) -> Mapping[str, str]:
    return {**_plain(change), "index.html": _page(_SCRIPT)}


def esbuild(change: Change) -> Mapping[str, str]:
    script = f"""\
import {{ build }} from "esbuild";
import {{ writeFileSync }} from "node:fs";

const page = {json.dumps(_page("SCRIPT", "STYLE"))};
const {{ metafile }} = await build({{
  entryPoints: ["src/main.js"],
  outdir: "dist",
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  entryNames: "[name]-[hash]",
  metafile: true,
}});
writeFileSync("dist/metafile.json", JSON.stringify(metafile));
const [script, output] = Object.entries(metafile.outputs).find(([, one]) => one.entryPoint === "src/main.js");
const local = (name) => name.replace("dist/", "./");
const link = `<link rel="stylesheet" href="${{local(output.cssBundle)}}">`;
const tag = `<script type="module" src="${{local(script)}}"></script>`;
writeFileSync("dist/index.html", page.replace("SCRIPT", tag).replace("STYLE", link));
"""
    return {**_plain(change), "build.mjs": script}


def next_turbopack(change: Change) -> Mapping[str, str]:
    layout = """\
export default function Layout({ children }) {
  return <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;
}
"""
    home = """\
"use client";
import { useState } from "react";
import { greet } from "../src/greeting.js";

export default function Home() {
  const [text, setText] = useState(greet("home"));
  const more = () => import("../src/later.js").then(({ later }) => setText(later()));
  return <main className="greeting"><p>{text}</p><button onClick={more}>more</button><a href="/about">about</a></main>;
}
"""
    about = """\
"use client";
import { useState } from "react";
import { about } from "../../src/about.js";

export default function About() {
  const [text] = useState(about());
  return <p>{text}</p>;
}
"""
    config = "export default { compress: false, productionBrowserSourceMaps: true };\n"
    return {
        **_greeting(change),
        "app/layout.jsx": layout,
        "app/page.jsx": home,
        "app/about/page.jsx": about,
        "next.config.mjs": config,
    }


def next_webpack(change: Change) -> Mapping[str, str]:
    config = """\
import { writeFileSync } from "node:fs";

const stats = {
  apply: (compiler) =>
    compiler.hooks.done.tap("stats", (done) =>
      writeFileSync(".next/stats.json", JSON.stringify(done.toJson())),
    ),
};

export default {
  compress: false,
  productionBrowserSourceMaps: true,
  webpack(config, { isServer }) {
    if (!isServer) config.plugins.push(stats);
    return config;
  },
};
"""
    return {**next_turbopack(change), "next.config.mjs": config}


def sveltekit(change: Change) -> Mapping[str, str]:
    vite = """\
import adapter from "@sveltejs/adapter-static";
import { sveltekit } from "@sveltejs/kit/vite";

export default { plugins: [sveltekit({ adapter: adapter() })], build: { sourcemap: "hidden" } };
"""
    page = """\
<!doctype html>
<html lang="en">
<head><link rel="icon" href="data:,">%sveltekit.head%</head>
<body><div>%sveltekit.body%</div></body>
</html>
"""
    home = """\
<script>
  import { greet } from "../greeting.js";
  let text = $state(greet("home"));
  const more = async () => { text = (await import("../later.js")).later(); };
</script>
<p class="greeting">{text}</p><button onclick={more}>more</button><a href="/about">about</a>
"""
    about = """\
<script>
  import { about } from "../../about.js";
</script>
<p>{about()}</p>
"""
    return {
        **_greeting(change),
        "vite.config.js": vite,
        "src/app.html": page,
        "src/routes/+layout.js": "export const prerender = true;\n",
        "src/routes/+page.svelte": home,
        "src/routes/about/+page.svelte": about,
    }


def nuxt(change: Change) -> Mapping[str, str]:
    home = """\
<script setup>
import { ref } from "vue";
import { greet } from "../../src/greeting.js";
const text = ref(greet("home"));
const more = async () => { text.value = (await import("../../src/later.js")).later(); };
</script>
<template>
  <main class="greeting"><p>{{ text }}</p><button @click="more">more</button><a href="/about">about</a></main>
</template>
"""
    about = """\
<script setup>
import { about } from "../../src/about.js";
</script>
<template><p>{{ about() }}</p></template>
"""
    config = """\
// Without it, Nuxt 4.5 with Vite 8.4 names one module as external and as internal, and does not build.
const unctx = {
  name: "unctx-external",
  enforce: "pre",
  applyToEnvironment: (environment) => environment.name === "ssr",
  resolveId: (id) => (id.endsWith("unctx/dist/index.mjs") ? { id, external: "absolute" } : null),
};

export default defineNuxtConfig({
  compatibilityDate: "2026-01-01",
  telemetry: false,
  vite: { plugins: [unctx] },
  sourcemap: { client: "hidden", server: false },
  app: { head: { link: [{ rel: "icon", href: "data:," }] } },
});
"""
    return {
        **_greeting(change),
        "app/app.vue": "<template><NuxtPage /></template>\n",
        "app/pages/index.vue": home,
        "app/pages/about.vue": about,
        "nuxt.config.ts": config,
    }


def astro(change: Change) -> Mapping[str, str]:
    script = '<script>import "../main.js";</script>'
    about = """\
---
import { about } from "../about.js";
---
<html lang="en"><head><link rel="icon" href="data:,"></head><body><p>{about()}</p></body></html>
"""
    config = """\
export default {
  build: { inlineStylesheets: "never" },
  vite: { build: { sourcemap: "hidden" } },
};
"""
    home = '---\nimport "../greeting.css";\n---\n' + _page(script)
    return {
        **_plain(change),
        "src/pages/index.astro": home,
        "src/pages/about.astro": about,
        "astro.config.mjs": config,
    }


def react_router(change: Change) -> Mapping[str, str]:
    root = """\
import { Links, Meta, Outlet, Scripts } from "react-router";

export default function Root() {
  return (
    <html lang="en">
      <head><link rel="icon" href="data:," /><Meta /><Links /></head>
      <body><Outlet /><Scripts /></body>
    </html>
  );
}
"""
    home = """\
import { useState } from "react";
import { greet } from "../../src/greeting.js";

export default function Home() {
  const [text, setText] = useState(greet("home"));
  const more = () => import("../../src/later.js").then(({ later }) => setText(later()));
  return <main className="greeting"><p>{text}</p><button onClick={more}>more</button><a href="/about">about</a></main>;
}
"""
    about = """\
import { about } from "../../src/about.js";

export default function About() {
  return <p>{about()}</p>;
}
"""
    routes = 'import { index, route } from "@react-router/dev/routes";\n\n'
    routes += 'export default [index("./routes/home.jsx"), route("about", "./routes/about.jsx")];\n'
    vite = 'import { reactRouter } from "@react-router/dev/vite";\n\n'
    vite += 'export default { plugins: [reactRouter()], build: { manifest: true, sourcemap: "hidden" } };\n'
    return {
        **_greeting(change),
        "app/root.jsx": root,
        "app/routes.js": routes,
        "app/routes/home.jsx": home,
        "app/routes/about.jsx": about,
        "vite.config.js": vite,
    }


def angular(change: Change) -> Mapping[str, str]:
    options = {
        "browser": "src/main.ts",
        "index": "src/index.html",
        "tsConfig": "tsconfig.json",
        "styles": ["src/greeting.css"],
        "outputHashing": "all",
        "sourceMap": {"scripts": True, "styles": True, "hidden": True},
        "statsJson": True,
        "allowedCommonJsDependencies": ["three"],
    }
    build = {"builder": "@angular/build:application", "options": options}
    workspace = {
        "version": 1,
        "cli": {"analytics": False},
        "projects": {"app": {"projectType": "application", "root": "", "architect": {"build": build}}},
    }
    compiler = {
        "compilerOptions": {
            "target": "ES2022",
            "module": "preserve",
            "moduleResolution": "bundler",
            "allowJs": True,
            "skipLibCheck": True,
            "strict": False,
            "noImplicitAny": False,
            "types": [],
        },
        "files": ["src/main.ts"],
    }
    main = """\
import { Component, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { RouterOutlet, provideRouter } from "@angular/router";
// @ts-ignore
import { greet } from "./greeting.js";

@Component({
  selector: "app-home",
  template: `<p class="greeting">{{ text() }}</p><button (click)="more()">more</button>`,
})
class Home {
  text = signal(greet("home"));
  async more() {
    // @ts-ignore
    this.text.set((await import("./later.js")).later());
  }
}

@Component({ selector: "app-root", imports: [RouterOutlet], template: "<router-outlet />" })
class Root {}

const routes = [
  { path: "", component: Home },
  { path: "about", loadComponent: () => import("./about").then((about) => about.About) },
];
bootstrapApplication(Root, { providers: [provideRouter(routes)] });
"""
    about = """\
import { Component } from "@angular/core";

@Component({ selector: "app-about", template: "<p>about LETTER</p>" })
export class About {}
"""
    page = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><base href="/"><link rel="icon" href="data:,">'
    # Angular takes styles from its workspace file, not from scripts.
    plain = {name: text.replace('import "./greeting.css";\n', "") for name, text in _greeting(change).items()}
    plain["src/later.js"] = plain["src/later.js"].replace('import "./later.css";\n', "")
    del plain["src/about.js"]
    return {
        **plain,
        "angular.json": json.dumps(workspace, indent=2),
        "tsconfig.json": json.dumps(compiler, indent=2),
        "src/main.ts": main,
        "src/about.ts": about.replace("LETTER", _letter(change)),
        "src/index.html": page + "</head><body><app-root></app-root></body></html>\n",
    }
