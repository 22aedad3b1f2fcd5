"""The second half of the demo: the front end's bundle and its front page under the same gate."""

from pathlib import Path

from demo_teller import Teller, chapter, check, say

CHECKS = "memgate.yml"
UPDATE = ("memgate", "baseline", "update", "-q")
BUNDLE = f"{CHECKS}::bundle[shop]"
PAGE = f"{CHECKS}::page[home]"
BUILD = ("npm", "--prefix", "web", "run", "--silent", "build")
EAGER = ("variants/main_eager.js", "web/src/main.js")
LATE = ("variants/late_hero/.", "web/src/")
HEAVY = "node_modules/chart.js"


class WebStory:
    """A copy of the example, whose front end is built anew for each chapter."""

    def __init__(self, teller: Teller, original: Path) -> None:
        self._teller = teller
        self._original = original

    def tell(self) -> str:
        """Tell it; return what had to be left out, and why, empty if nothing had."""
        packages = self._original / "web" / "node_modules"
        missing = [name for name in ("node", "npm") if not self._teller.has(name)]
        if missing or not packages.exists():
            return f"the front end, since {' and '.join(missing) or 'web/node_modules (npm ci)'} is not there"
        (self._teller.folder / "web" / "node_modules").symlink_to(packages)
        no_pages = self._why_no_pages()
        chapter("9. The front end is under the same gate: memgate.yml names its bundle and its front page.")
        self._teller.do(*BUILD)
        self._green(BUNDLE)
        if not no_pages:
            self._green(PAGE)
        self._heavy()
        if no_pages:
            return f"the front page, since {no_pages}"
        self._late()
        return ""

    def _why_no_pages(self) -> str:
        lines = self._teller.quietly("memgate", "doctor").stdout.splitlines()
        return next(
            (line.partition("pages: ")[2] for line in lines if line.startswith("bad") and "pages: " in line), ""
        )

    def _green(self, check_name: str) -> None:
        output = self._teller.run("pytest", "--memgate", check_name)
        check("memgate: PASSED" in output, f"the gate is not green on {check_name} as it is committed")
        if "incomparable" in output:
            say(
                "Its committed baseline was measured with another Chrome or Lighthouse than this machine's,",
                "and such values cannot be compared. So the demo makes its own:",
            )
            self._teller.run(*UPDATE, check_name)

    def _heavy(self) -> None:
        chapter(
            "10. A change draws the report from the start. It opens at once now, and its charts come with the page."
        )
        self._teller.do("cp", *EAGER)
        self._teller.do(*BUILD)
        output = self._teller.run("pytest", "--memgate", BUNDLE, expected=1)
        check("bundle.initial.raw" in output and HEAVY in output, f"the red bundle does not name {HEAVY}")
        check("was loaded lazily before" in output, "the gate does not say that the library was loaded lazily")
        self._restore()

    def _late(self) -> None:
        chapter("11. A change loads pictures only when they are nearly in view. The large one at the top is.")
        self._teller.do("cp", "-R", *LATE)
        self._teller.do(*BUILD)
        output = self._teller.run("pytest", "--memgate", PAGE, expected=1)
        check("web.lcp" in output and "hero" in output, "the red page does not name the picture")
        self._restore()

    def _restore(self) -> None:
        for file in (self._original / "web" / "src").glob("*.*"):
            (self._teller.folder / "web" / "src" / file.name).write_bytes(file.read_bytes())
