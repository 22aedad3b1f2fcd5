"""Five more changes of the shop that no assertion sees, put in place at once, and what the gate says of each."""

from pathlib import Path

from demo_teller import Teller, chapter, check, say

IMPORT = "memgate.yml::import[shop.report]"
CHECKS = ("tests", IMPORT)  # all that the gate measures without Node and Chrome
# By variant: the module whose place it takes, what is run, and the metric that goes over its budget.
FAULTS = {
    "unbounded_baskets.py": ("shop/baskets.py", "tests/test_baskets.py", "memory.retained"),
    "waiting_couriers.py": ("shop/couriers.py", "tests/test_couriers.py", "leftover.tasks"),
    "viewing_trends.py": ("shop/trends.py", "tests/test_trends.py", "memory.retained"),
    "heavy_report.py": ("shop/report.py", IMPORT, "import.retained"),
    "allocating_labels.py": ("shop/labels.py", "tests/test_labels.py", "memory.allocated"),
}


class FaultStory:
    """The rest of variants/ beside the middleware: one fault of each other kind."""

    def __init__(self, teller: Teller, original: Path) -> None:
        self._teller = teller
        self._original = original

    def tell(self) -> None:
        chapter("6. Five more changes that no assertion sees. Each takes the place of a repaired module of the shop.")
        for variant, (module, _, _) in FAULTS.items():
            self._teller.do("cp", f"variants/{variant}", module)
        output = self._teller.run("pytest", "--memgate", *(run for _, run, _ in FAULTS.values()), expected=1)
        for variant, (module, _, metric) in FAULTS.items():
            check(f" {metric} " in output, f"{variant} is not red on {metric}")
            check(f"{module}:" in output, f"{variant}: the line that grew is not named")
        say(
            "Baskets that are never given up, tasks that never end, a view that keeps the whole array, a library for",
            "one mean, and a bitmap for each label. docs/find-a-leak.md goes through them one by one.",
        )
        for module, _, _ in FAULTS.values():
            (self._teller.folder / module).write_bytes((self._original / module).read_bytes())
