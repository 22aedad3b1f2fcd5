"""What a service is declared with, and the probe that measures it."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from pytest_memgate.errors import ConfigError
from pytest_memgate.measure.service.scenario import FILE, is_function, parse_request
from pytest_memgate.probes.check import Check, choice, duration, number, several, word
from pytest_memgate.probes.face import Case, Probe, Reading

AUTO = "auto"
GAUGES = (AUTO, "python", "go", "prometheus", "process")
URL = "http://127.0.0.1:{port}"
_FEWEST = 100  # requests of a series: with fewer, blocks of some say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCheck(Check):
    """A server that `start` starts, what it is sent, and who tells how much it holds.

    `warmup` requests come first; of `requests` is the first series, the last one is four times as long. `gauge` is
    who tells what it holds. `start_within` is in ms.
    """

    kind: ClassVar[str] = "service"
    section: ClassVar[str] = "services"

    start: str = word("The command that starts it; {port} is a free one.", default=None)
    url: str = word("Where it then listens.", default=URL)
    ready: str = word("A path that answers once it is ready; else its port has to listen.")
    send: tuple[str, ...] = several("Requests in turn (`POST /path {}`), FILE.http, or MODULE:FUNCTION.")
    load: str = word("A load tool's command that sends {requests} requests to {url}.")
    warmup: int = number(0, 1_000_000, default=500)
    requests: int = number(_FEWEST, 1_000_000, default=2500)
    gauge: str = choice("gauge", GAUGES, default=AUTO)
    heap: tuple[str, ...] = several("Metrics of its Prometheus page whose sum is what it holds, in bytes.")
    start_within: float = duration("How long it may take until it is ready.", default=30_000)

    def why_wrong(self) -> str:
        parts = urlsplit(self.url.replace("{port}", "80"))
        faults = {
            f"{self.url!r} is no address of a service: it looks like {URL}": (
                parts.scheme != "http" or not parts.hostname or parts.path.strip("/")
            ),
            "'{port}' stands for a free port in both 'url' and 'start'": (
                ("{port}" in self.start) > ("{port}" in self.url)
            ),
            f"ready {self.ready!r} must begin with '/'": self.ready and not self.ready.startswith("/"),
            "it takes either 'send' or 'load'": self.send and self.load,
            "'send' names a function, which is all that is sent": (
                len(self.send) > 1 and any(map(is_function, self.send))
            ),
        }
        return next((words for words, is_so in faults.items() if is_so), "") or self._wrong_request()

    def _wrong_request(self) -> str:
        try:
            for text in self.send:
                if not (text.endswith(FILE) or is_function(text)):
                    parse_request(text)
        except ConfigError as error:
            return str(error)
        return ""


class ServiceProbe(Probe[ServiceCheck]):
    """Sends a service requests until it is known whether each leaves memory behind; near-exact for Python and Go."""

    check = ServiceCheck
    family = "service"

    def measure(self, check: ServiceCheck, case: Case) -> Reading:
        from pytest_memgate.probes.service.measuring import service_reading

        return service_reading(check, case)
