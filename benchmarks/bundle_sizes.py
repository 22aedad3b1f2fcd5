"""How long the sizes of a bundle take against size-limit's, on the same files.

Two builds of generated JavaScript: 12 files of 250 KB, read by globs, and one with a vendor chunk, a style sheet and 36
lazy chunks, read by esbuild's metafile. The sides are processes of their own and run in turn, each round in another
order; both have to find the same Brotli size. Prints the ratios last, of each build the median of the rounds; exits
with 1 where the probe without its cache takes longer than size-limit.
"""

import argparse
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench_common import only, project, run_pytest, say, title

BOUND = 1.0
SIZE_LIMIT = Path(__file__).parent / "node_modules"
_COLD, _WARM, _OTHER, _WHOLE = "memgate", "memgate, cached", "size-limit", "pytest --memgate"

# Started as the gate does it: the project, and the folder that keeps sizes between runs, if any.
_PROBE = """
import sys
from pathlib import Path
from pytest_memgate.measure.bundle.build import Source, measure
source = Source({source})
entry, = measure(source, Path.cwd(), Path(sys.argv[1]) if sys.argv[1:] else None)
print(entry.total.brotli)
"""
_SHAPES = (
    "function {0}({a},{b}){{var {c}={a}.{1}||{number};return {b}?{c}.{2}({a},'{3} {4}'):null}}",
    "{a}.{0}=({b},{c})=>{{if({b}.{1}==={c}.{2})throw new Error('{3} {4} {5}: '+{b});{a}.{6}({c})}};",
    "const {d}={{{0}:{a},{1}:'{2}-{3}',{4}:[{number},{b}.{5}],{6}:!0}};",
    "for(let {a}=0;{a}<{b}.length;{a}++){c}.push({b}[{a}].{0}({d}.{1}&{number}));",
    "class {0} extends {d}{{constructor({a}){{super({a}),this.{1}={a}.{2},this.{3}='{number:x}'}}{4}(){{}}}}",
)
_RULE = ".{0} .{1}-{2}{{margin:{number}px;color:#{number:06x}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A project with a build in it: how memgate is told of it, in its own file and in Python."""

    name: str
    folder: Path
    declared: str
    source: str

    @property
    def files(self) -> list[Path]:
        return [path for path in sorted((self.folder / "dist").rglob("*")) if path.suffix in {".js", ".css"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What one run of a side took, and the size that it found."""

    seconds: float
    cpu_seconds: float
    brotli: int | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    node = shutil.which("node")
    if not node or not (SIZE_LIMIT / "size-limit").is_dir():
        say("no answer: this benchmark needs Node and size-limit (in benchmarks: npm ci)")
        return 2
    version = json.loads((SIZE_LIMIT / "size-limit" / "package.json").read_text(encoding="utf-8"))["version"]
    title(f"the sizes of a bundle, {arguments.rounds} rounds, size-limit {version}")
    options = only("memgate")
    worst = 0.0
    with project() as folder:
        for build in (_even(folder / "even"), _app(folder / "app")):
            worst = max(worst, _tell(build, _rounds(build, node, options, arguments.rounds)))
    say(f"{_COLD} against {_OTHER}: {worst:.2f} (at most {BOUND})")
    return int(worst > BOUND)


def _rounds(build: Build, node: str, options: list[str], rounds: int) -> dict[str, list[Timed]]:
    """Return what each side took in each round; ends the benchmark if the sides find different sizes."""
    raw = sum(path.stat().st_size for path in build.files)
    say(f"{build.name}: {len(build.files)} files, {raw:,} bytes")
    run_pytest(build.folder, *options, "--memgate", "--memgate-update").expect(0)
    cache = build.folder / ".sizes"
    probe = [sys.executable, "-c", _PROBE.format(source=build.source)]
    limit = [node, str(SIZE_LIMIT / "size-limit" / "bin.js"), "--json"]
    sides: dict[str, Callable[[], Timed]] = {
        _COLD: lambda: _timed(build, probe, int),
        _OTHER: lambda: _timed(build, limit, lambda text: int(json.loads(text)[0]["size"])),
        _WARM: lambda: _timed(build, [*probe, str(cache)], int),
        _WHOLE: lambda: _gated(build, options),
    }
    # Once before it counts: then the files are in memory, and the cache is filled.
    sizes = {side: run().brotli for side, run in sides.items()}
    found = {size for size in sizes.values() if size is not None}
    if len(found) > 1:
        say(f"the Brotli sizes differ: {sizes}")
        sys.exit(1)
    say(f"the Brotli size is {found.pop():,} bytes for all")
    taken: dict[str, list[Timed]] = {side: [] for side in sides}
    for number in range(rounds):
        order = list(sides)
        for side in order[number % len(order) :] + order[: number % len(order)]:
            taken[side].append(sides[side]())
        last = (f"{side} {one[-1].seconds:.2f} s, {one[-1].cpu_seconds:.2f} s processor" for side, one in taken.items())
        say(f"round {number + 1}  {';  '.join(last)}")
    return taken


def _timed(build: Build, command: list[str], read: Callable[[str], int]) -> Timed:
    start, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=build.folder, capture_output=True, encoding="utf-8", check=False)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        say(f"{done.stdout}{done.stderr}\nno answer: {command[0]} ended with exit code {done.returncode}")
        sys.exit(2)
    cpu_seconds = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    return Timed(seconds=seconds, cpu_seconds=cpu_seconds, brotli=read(done.stdout))


def _gated(build: Build, options: list[str]) -> Timed:
    done = run_pytest(build.folder, *options, "--memgate").expect(0)
    return Timed(seconds=done.seconds, cpu_seconds=done.cpu_seconds)


def _tell(build: Build, taken: dict[str, list[Timed]]) -> float:
    """Print the ratios of a build to what size-limit takes; return that of the probe without its cache."""
    for side, own in taken.items():
        wall, cpu = _ratios(own, taken[_OTHER])
        middle = statistics.median(one.seconds for one in own)
        against = f"{wall:.2f} of {_OTHER}'s, {cpu:.2f} of its processor time"
        say(f"{build.name:<5} {side:<17} median {middle:5.2f} s: {against}")
    say("")
    return _ratios(taken[_COLD], taken[_OTHER])[0]


def _ratios(own: list[Timed], other: list[Timed]) -> tuple[float, float]:
    """Return the medians of the rounds' ratios: each round compares what ran within seconds of each other."""
    pairs = list(zip(own, other, strict=True))
    wall = statistics.median(one.seconds / two.seconds for one, two in pairs)
    return wall, statistics.median(one.cpu_seconds / two.cpu_seconds for one, two in pairs)


def _even(folder: Path) -> Build:
    """Write 12 files of 250 KB: no file bounds the time of all, so that every core has its share."""
    chance = random.Random(12)
    for number in range(12):
        _put(folder / "dist" / f"part-{number:02}.js", _text(chance, _SHAPES, 250_000))
    build = Build(
        name="even",
        folder=folder,
        declared="{files: ['*.js'], root: dist}",
        source="files=('*.js',), root=Path('dist')",
    )
    return _declare(build)


def _app(folder: Path) -> Build:
    """Write what a bundler makes of an application: a large vendor chunk, the entry, its styles, lazy chunks."""
    chance = random.Random(36)
    sizes = {"entry.js": 280_000, "vendor.js": 900_000, "entry.css": 120_000}
    lazy = {f"chunks/view-{number:02}.js": round(chance.lognormvariate(10.2, 0.9)) for number in range(36)}
    outputs: dict[str, object] = {}
    for name, size in (sizes | lazy).items():
        text = _text(chance, (_RULE,) if name.endswith(".css") else _SHAPES, size)
        _put(folder / "dist" / name, text)
        outputs[f"dist/{name}"] = {"bytes": len(text), "inputs": dict(_modules(name, len(text))), "imports": []}
    entry = {
        "entryPoint": "src/entry.js",
        "cssBundle": "dist/entry.css",
        "imports": [
            {"path": "dist/vendor.js", "kind": "import-statement"},
            *({"path": f"dist/{name}", "kind": "dynamic-import"} for name in lazy),
        ],
    }
    outputs["dist/entry.js"] = {**dict(outputs["dist/entry.js"]), **entry}  # type: ignore[call-overload]
    modules = {name for output in outputs.values() for name in output["inputs"]}  # type: ignore[index]
    inputs = {name: {"bytes": 0, "imports": []} for name in sorted(modules)}
    _put(folder / "dist" / "metafile.json", json.dumps({"inputs": inputs, "outputs": outputs}))
    build = Build(
        name="app",
        folder=folder,
        declared="{stats: dist/metafile.json}",
        source="stats=Path('dist/metafile.json')",
    )
    return _declare(build)


def _modules(name: str, size: int) -> Iterator[tuple[str, object]]:
    """Yield the modules that a file is made of, 4 KB each, as a metafile lists them."""
    stem = name.replace("/", "-").partition(".")[0]
    where = "node_modules/library-{0:02}/{1}.js" if name == "vendor.js" else f"src/{stem}/part-{{0}}-{{1}}.js"
    for number, start in enumerate(range(0, size, 4000)):
        yield where.format(number // 6, number), {"bytesInOutput": min(4000, size - start)}


def _declare(build: Build) -> Build:
    files = [path.relative_to(build.folder).as_posix() for path in build.files]
    package = {"private": True, "size-limit": [{"path": files, "limit": "10 MB"}]}
    package["devDependencies"] = {"@size-limit/file": "*", "size-limit": "*"}  # it loads the plugins named here
    _put(build.folder / "package.json", json.dumps(package))
    _put(build.folder / "memgate.yml", f"bundles:\n  {build.name}: {build.declared}\n")
    _put(build.folder / "pytest.ini", "[pytest]\n")
    (build.folder / "node_modules").symlink_to(SIZE_LIMIT, target_is_directory=True)
    return build


def _text(chance: random.Random, shapes: tuple[str, ...], size: int) -> str:
    """Return lines of that size that compress about as minified code does: few words are frequent, many are rare."""
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 11))) for _ in range(900)]
    weights = [1 / (place + 1) for place in range(len(words))]
    made: list[str] = []
    length = 0
    while length < size:
        named = dict(zip("abcd", chance.choices(letters, k=4), strict=True))
        number = chance.randrange(10_000)
        made.append(chance.choice(shapes).format(*chance.choices(words, weights, k=7), **named, number=number))
        length += len(made[-1])
    return "".join(made)[:size]


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
