"""Mermaid diagrams: the growth of a bundle by package, and a value over several runs."""

from itertools import pairwise

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.metric import base_name, part_of
from pytest_memgate.model.site import Contribution, LeadKind
from pytest_memgate.report.escape import fenced, mermaid_label
from pytest_memgate.report.view import Trend
from pytest_memgate.report.words.contributions import module_texts
from pytest_memgate.units import DURATION, SIZE, format_growth

_PACKAGES = 6
_MODULES = 3


def growth_diagram(finding: Finding) -> str:
    """Return a flowchart from a bundle's entry, through the importers, to the packages that grew and their modules."""
    chart = _Chart()
    entry = part_of(finding.metric) or finding.subject.name
    chart.node(entry, f"{entry}\n{format_growth(finding.growth or 0, finding.unit)}")
    grown = [one for one in finding.growth_by_site if one.site and one.growth > 0][:_PACKAGES]
    for one in grown:
        chart.node(one.site.path if one.site else "", f"{_path(one)}\n{format_growth(one.growth, finding.unit)}")
    for one in grown:
        chart.link(entry, one)
    return fenced(["flowchart LR", *chart.lines], "mermaid")


def trend_diagram(trend: Trend) -> str:
    """Return a line chart of a value, the oldest run first; a run without the value leaves no gap."""
    finding = trend.finding
    values = [value for value in trend.values if value is not None]
    divisor, unit = _scale(max(values), finding.unit)
    top = f"{max(values) / divisor * 1.1 or 1:.4g}"
    points = ", ".join(f"{value / divisor:.4g}" for value in values)
    runs = ", ".join(str(number) for number, value in enumerate(trend.values, 1) if value is not None)
    lines = [
        "xychart-beta",
        f"  x-axis {mermaid_label('run')} [{runs}]",
        f"  y-axis {mermaid_label(f'{base_name(finding.metric)} {unit}'.rstrip())} 0 --> {top}",
        f"  line [{points}]",
    ]
    return fenced(lines, "mermaid")


class _Chart:
    """A flowchart whose nodes are known by their names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers: dict[str, str] = {}
        self._links: set[tuple[str, str]] = set()

    def node(self, name: str, label: str) -> str:
        """Return the id of the node of a name, made with `label` if it is new."""
        if name not in self._numbers:
            self._numbers[name] = f"n{len(self._numbers)}"
            text = "<br>".join(mermaid_label(part).strip('"') for part in label.split("\n"))
            self.lines.append(f'  {self._numbers[name]}["{text}"]')
        return self._numbers[name]

    def link(self, entry: str, one: Contribution) -> None:
        """Lead from the entry through the importers, outermost first, to the part that grew, and on to its modules."""
        site = one.site
        if site is None:
            return
        importers = [lead.path for lead in site.via if lead.kind is not LeadKind.CAUSE]
        names = [entry, *(name for name in reversed(importers) if name != entry), site.path]
        for before, after in pairwise(names):
            self._arrow(self.node(before, before), self.node(after, after))
        for module in module_texts(site)[:_MODULES]:
            self._arrow(self.node(site.path, site.path), self.node(f"{site.path}/{module}", module))

    def _arrow(self, before: str, after: str) -> None:
        if (before, after) not in self._links:
            self._links.add((before, after))
            self.lines.append(f"  {before} --> {after}")


def _path(one: Contribution) -> str:
    return one.site.path.removeprefix("node_modules/") if one.site else ""


def _scale(largest: float, unit: str) -> tuple[float, str]:
    if unit == SIZE:
        for divisor, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
            if largest >= divisor:
                return divisor, name
    if unit == DURATION and largest >= 10_000:
        return 1000, "s"
    return 1, unit
