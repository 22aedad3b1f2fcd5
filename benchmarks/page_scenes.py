"""The pages of `pages.py`: what is in each, what is changed in it, and what the gate has to say of that."""

import base64
import random
import shlex
import struct
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

SCRIPT_BYTES = 400_000  # as sent
SLOWER_MS = 600
_SITE, _DELAY = "site", "delay.txt"  # the folder that is served, and how late the page is

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>A shop</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="shop.css">
  {head}
</head>
<body>
  <main>
    <img id="hero" {source}="hero.png" alt="Hills" width="400" height="300" fetchpriority="high">
    <h1>A shop</h1>
    <p>Apples, bread and coffee, brought to your door.</p>
  </main>
  {foot}
</body>
</html>
"""
_STYLES = "body { margin: 0; font: 16px/1.5 sans-serif; } img { display: block; width: 100%; height: auto; }\n"
_WORK = """\
function report(count) {
  const rows = [];
  let seed = 42;
  for (let i = 0; i < count; i += 1) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    rows.push({ id: i, name: String(seed), price: seed % 997 });
  }
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  const totals = new Map();
  for (const row of rows) totals.set(row.price, (totals.get(row.price) || 0) + row.id);
  return JSON.parse(JSON.stringify(rows)).length + totals.size;
}
document.documentElement.dataset.report = report(150000);
"""
_BANNER = """\
<script>
  addEventListener("load", () => setTimeout(() => {
    const banner = document.createElement("div");
    banner.style.cssText = "height: 240px; background: gold";
    document.body.prepend(banner);
  }, 300));
</script>
"""
_MODULE = '<script type="module" src="shop.js"></script>'
_SHOW = "for (const image of document.querySelectorAll('img[data-src]')) image.src = image.dataset.src;\n"
_SERVER = """\
import sys, time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

class Site(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/":
            time.sleep(int(Path(sys.argv[3]).read_text()) / 1000)
        super().do_GET()

    def __init__(self, *given, **more):
        super().__init__(*given, directory=sys.argv[2], **more)

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Site).serve_forever()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A page, and what is changed in it, if anything: files by their names below the project.

    `red` are the metrics that have to be red then, and what each has to name first; `told` is what the failure says of
    the cause besides.
    """

    about: str
    before: Mapping[str, bytes]
    after: Mapping[str, bytes] = field(default_factory=dict)
    red: Mapping[str, str] = field(default_factory=dict)
    told: str = ""


def all_scenes() -> dict[str, Scene]:
    page = _project(_html())
    late = {
        "index.html": _html(foot=_MODULE, source="data-src"),
        "shop.js": "import('./catalogue.js');\n",
        "catalogue.js": "import('./pictures.js');\n",
        "pictures.js": _SHOW,
    }
    return {
        "still": Scene(about="a page that stays as it is", before=page),
        "busy": Scene(
            about="a page that stays as it is and computes before it shows",
            before=_project(_html(head=_script("work.js")), {"work.js": _WORK}),
        ),
        "script": Scene(
            about="a blocking script of 400 KB",
            before=page,
            after=_site({"index.html": _html(head=_script("reviews.js")), "reviews.js": _data()}),
            red={"web.lcp": "render delay", "web.bytes": "/reviews.js"},
            told="resources that grew: /reviews.js",
        ),
        "server": Scene(
            about=f"an answer that comes {SLOWER_MS} ms later",
            before=page | _server(),
            after={_DELAY: str(SLOWER_MS).encode()},
            red={"web.ttfb": "/"},
        ),
        "banner": Scene(
            about="a banner that pushes the page down",
            before=page,
            after=_site({"index.html": _html(foot=_BANNER)}),
            red={"web.cls": "body > main"},
        ),
        "late": Scene(
            about="a picture that waits for three scripts in a row",
            before=page,
            after=_site(late),
            red={"web.lcp": "load delay"},
            told="largest contentful paint: body > main > img#hero",
        ),
    }


def _project(html: str, files: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Return the files of a project whose folder Lighthouse CI serves."""
    return {
        "pytest.ini": b"[pytest]\n",
        "memgate.yml": f"pages:\n  shop: {{serve: {_SITE}}}\n".encode(),
        f"{_SITE}/hero.png": _picture(),
        **_site({"index.html": html, "shop.css": _STYLES, **(files or {})}),
    }


def _server() -> dict[str, bytes]:
    """Return what makes it a page with a server of its own, which answers at once."""
    start = f"{shlex.quote(sys.executable)} server.py {{port}} {_SITE} {_DELAY}"
    declared = f'pages:\n  shop:\n    url: "http://127.0.0.1:{{port}}/"\n    start: "{start}"\n'
    return {"memgate.yml": declared.encode(), "server.py": _SERVER.encode(), _DELAY: b"0"}


def _site(files: Mapping[str, str]) -> dict[str, bytes]:
    return {f"{_SITE}/{name}": text.encode() for name, text in files.items()}


def _script(name: str) -> str:
    return f'<script src="{name}"></script>'


def _html(*, head: str = "", foot: str = "", source: str = "src") -> str:
    return _PAGE.format(head=head, foot=foot, source=source)


def _data() -> str:
    """Return a script that has its size when it is sent too: random data, which compression takes back to bytes."""
    text = base64.b64encode(random.Random(400).randbytes(SCRIPT_BYTES)).decode()
    return f"window.reviews = '{text}';\n"


def _picture() -> bytes:
    """Return a PNG of about 130 KB: a slope of colours with noise in it, for a plain area is no largest paint."""
    chance = random.Random(240)
    width, height = 240, 180
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # the row is not filtered
        for x in range(width):
            noise = chance.randrange(24)
            rows += bytes(((x * 5 + y * 3 + noise) % 256, (x + y * 2) % 256, (y * 4 + noise * 2) % 256))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
