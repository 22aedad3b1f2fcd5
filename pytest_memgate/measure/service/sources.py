"""All sources of a service's memory, the most telling first."""

from pytest_memgate.errors import CaptureError, MeasureError
from pytest_memgate.measure.service.go import GoSource
from pytest_memgate.measure.service.place import Place
from pytest_memgate.measure.service.prometheus import PrometheusSource
from pytest_memgate.measure.service.python import PythonSource
from pytest_memgate.measure.service.resident import ResidentSource
from pytest_memgate.measure.service.source import Source

_SOURCES = (PythonSource, GoSource, PrometheusSource, ResidentSource)


def source_of(place: Place, name: str = "") -> Source:
    """Return the source of a name or, without one, the first that fits.

    Raises MeasureError where the service cannot be asked so, CaptureError where it is Python that cannot be looked at.
    """
    for source in _SOURCES:
        if name in {"", source.name}:
            why = source.why_not(place)
            if not why:
                return source(place)
            if name:
                raise (CaptureError if source is PythonSource else MeasureError)(why)
    raise LookupError(name)
