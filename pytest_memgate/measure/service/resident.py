"""Any service: the resident memory of its processes, which grows and stays for other reasons than a leak, too."""

from pytest_memgate.measure.service.place import Place
from pytest_memgate.measure.service.source import Source


class ResidentSource(Source):
    """Asks the system."""

    name = "process"
    words = "the resident memory of its processes (USS)"
    is_heap = False
    collects = False

    def __init__(self, place: Place) -> None:
        self._place = place

    @classmethod
    def why_not(cls, place: Place) -> str:  # noqa: ARG003  # see the face
        return ""

    def held(self) -> float:
        return self._place.resident()
