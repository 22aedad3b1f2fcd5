"""Build the sample app with real webpack, Vite and esbuild into `built/<bundler>/<variant>`: python build.py [FOLDER]

Run it when the app, a bundler's version or a configuration changes, and commit what it writes: the same each time. It
needs Node and npm; with a folder to work in, which is kept, the bundlers are installed once. The packages that the app
imports are our own: those in `app/packages`, and two that are generated here, since their only use is to be large.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
APP = HERE / "app"
BUILT = HERE / "built"

# `words` is there twice: the app's own 2.0.1, and the 1.4.0 that @post/letters asks for.
INSTALLED = {
    "words-2": "words",
    "letters": "@post/letters",
    "words-1": "@post/letters/node_modules/words",
}
LEGACY = '{"private": true, "devDependencies": {"webpack": "4.47.0", "webpack-cli": "3.3.12"}}\n'
VARIANTS = {
    "webpack": (
        *("base", "grown", "eager", "mapped", "two", "shared", "targets"),
        *("verbose", "terse", "collapsed", "failed"),
    ),
    "webpack4": ("base",),
    "vite": ("base", "grown", "eager", "two"),
    "esbuild": ("base", "grown", "eager", "two", "plain"),
}


def main() -> None:
    if len(sys.argv) > 1:
        build_all(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        build_all(Path(folder))


def build_all(work: Path) -> None:
    """Build each variant in a fresh copy of the app beside the bundlers that `work` holds."""
    work = work.resolve()
    tools = install(work / "tools", (APP / "package.json").read_text(encoding="utf-8"))
    legacy = install(work / "legacy", LEGACY)
    shutil.rmtree(BUILT, ignore_errors=True)
    for bundler, variants in VARIANTS.items():
        for variant in variants:
            sys.stdout.write(f"{bundler} {variant}\n")
            place = work / "timetable"
            shutil.rmtree(place, ignore_errors=True)
            lay_out(place, variant)
            run(bundler, variant, place, legacy if bundler == "webpack4" else tools)
            keep(place, BUILT / bundler / variant)
    size = sum(path.stat().st_size for path in BUILT.rglob("*") if path.is_file())
    sys.stdout.write(f"{size / 1e6:.2f} MB in {BUILT}\n")


def install(folder: Path, package: str) -> Path:
    """Install the bundlers of a package.json and return their node_modules."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(package, encoding="utf-8")
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    return folder / "node_modules"


def lay_out(place: Path, variant: str) -> None:
    """Copy the app, the variant's own files over it, and its packages into node_modules."""
    shutil.copytree(APP, place, ignore=shutil.ignore_patterns("packages", "variants"))
    if (APP / "variants" / variant).exists():
        shutil.copytree(APP / "variants" / variant, place, dirs_exist_ok=True)
    modules = place / "node_modules"
    for package, name in INSTALLED.items():
        shutil.copytree(APP / "packages" / package, modules / name, dirs_exist_ok=True)
    write(modules / "@post/letters/forms.js", f"export const forms = [\n{texts('letters', 9_000)}];\n")
    package = '{"name": "atlas", "version": "3.1.0", "type": "module", "main": "index.js"}\n'
    write(modules / "atlas/package.json", package)
    sheets = {"north": 130_000, "south": 60_000, "sea": 30_000}
    for sheet, size in sheets.items():
        write(modules / f"atlas/sheets/{sheet}.js", f"export const {sheet} = [\n{texts(sheet, size)}];\n")
    imports = "".join(f"import {{ {sheet} }} from './sheets/{sheet}.js';\n" for sheet in sheets)
    find = "export function find(text) {\n  return all.filter((place) => place.includes(text)).length;\n}\n"
    write(modules / "atlas/index.js", f"{imports}\nconst all = [...{', ...'.join(sheets)}];\n\n{find}")


def texts(seed: str, size: int) -> str:
    """Return about `size` bytes of made-up lines, the same each time."""
    dice = random.Random(seed)
    syllables = [first + vowel for first in "bdfghklmnprstvwz" for vowel in ("a", "e", "i", "o", "u", "en", "ar")]
    lines, length = [], 0
    while length < size:
        words = ["".join(dice.choices(syllables, k=dice.randint(1, 4))) for _ in range(dice.randint(3, 9))]
        lines.append(f"  '{' '.join(words)}, {dice.randint(1, 9999)}',\n")
        length += len(lines[-1]) - 3
    return "".join(lines)


def run(bundler: str, variant: str, place: Path, tools: Path) -> None:
    """Run a bundler in `place`; one that is meant to fail may."""
    commands = {
        "webpack": ["webpack", "--json=stats.json"],
        "webpack4": ["webpack", "--config", "webpack4.config.cjs", "--json"],
        "vite": ["vite", "build", "--logLevel", "error"],
        "esbuild": ["node", "esbuild.js"],
    }
    for tool in tools.iterdir():
        if not (place / "node_modules" / tool.name).exists():
            (place / "node_modules" / tool.name).symlink_to(tool)
    path = f"{tools / '.bin'}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "VARIANT": variant}
    if bundler == "webpack4":
        env["NODE_OPTIONS"] = "--openssl-legacy-provider"  # webpack 4 hashes with MD4
    done = subprocess.run(commands[bundler], cwd=place, env=env, stdout=subprocess.PIPE, check=variant != "failed")
    if bundler == "webpack4":
        (place / "stats.json").write_bytes(done.stdout)


def keep(place: Path, target: Path) -> None:
    """Copy what was built, without the name of the folder that it was built in."""
    target.mkdir(parents=True)
    if (place / "out").exists():
        shutil.copytree(place / "out", target / "out")
    for name in ("stats.json", "metafile.json"):
        if (place / name).exists():
            shutil.copy(place / name, target / name)
    for stats in [*target.rglob("*.json"), *target.rglob("*.map")]:
        text = stats.read_text(encoding="utf-8").replace(str(place), "/timetable")
        write(stats, text.replace(str(place.parent), "/bundlers"))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
