"""All that memgate.yml may declare, a line a probe, in the order in which its checks run."""

from pytest_memgate.probes.bundle.probe import BundleProbe
from pytest_memgate.probes.check import Check
from pytest_memgate.probes.face import AnyProbe
from pytest_memgate.probes.imports.probe import ImportProbe
from pytest_memgate.probes.page.probe import PageProbe
from pytest_memgate.probes.service.probe import ServiceProbe

PROBES: tuple[AnyProbe, ...] = (
    BundleProbe(),
    PageProbe(),
    ImportProbe(),
    ServiceProbe(),
)


def probe_of(check: Check) -> AnyProbe:
    """Return the probe that measures a check."""
    return next(probe for probe in PROBES if probe.check is type(check))
