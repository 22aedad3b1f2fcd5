"""What a bundle is declared with, and the probe that measures it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pytest_memgate.measure.bundle.routes.find import FRAMEWORKS
from pytest_memgate.probes.check import Check, choice, lists, several, word
from pytest_memgate.probes.face import Case, Probe, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCheck(Check):
    """What a bundler made, below the project's root: its `stats` file, or plain `files` (and `lazy` ones) by glob.

    The `stats` file of a `framework` is found by itself.

    `root` is where the output files lie, `entries` are patterns of those that count, `screens` are entries that add up
    to a page, and `with_` are later chunks that are loaded without being asked for.
    """

    kind: ClassVar[str] = "bundle"
    section: ClassVar[str] = "bundles"

    framework: str = choice("framework", ("auto", *FRAMEWORKS), default="")
    stats: str = word("webpack's stats, Vite's manifest, esbuild's metafile, built pages; `auto` looks for it.")
    files: tuple[str, ...] = several("Without a stats file: the first screen's files, by glob.")
    lazy: tuple[str, ...] = several("With `files`: what is loaded later, by glob.")
    root: str = word("Where the output files lie.")
    entries: tuple[str, ...] = several("Patterns of the entries that count; all by default. Later chunks can be some.")
    screens: Mapping[str, tuple[str, ...]] = lists("Entries that add up to a page, by its name.")
    with_: tuple[str, ...] = several("Later chunks that an entry loads without being asked.")

    def why_wrong(self) -> str:
        if sum(map(bool, (self.stats or self.framework, self.files))) != 1:
            return "a bundle needs either 'stats', a bundler's file, or 'framework', or 'files', globs"
        if self.lazy and not self.files:
            return "'lazy' goes with 'files': a stats file says by itself what is loaded later"
        if self.files and (self.entries or self.screens or self.with_):
            return "'entries', 'screens' and 'with' go with 'stats': globs name the files of one entry by themselves"
        return ""


class BundleProbe(Probe[BundleCheck]):
    """Measures the first screen and the total of each entry, raw, gzip and brotli; an exact value."""

    check = BundleCheck
    family = "bundle"

    def measure(self, check: BundleCheck, case: Case) -> Reading:
        from pytest_memgate.probes.bundle.measuring import bundle_reading

        return bundle_reading(check, case)
