"""Make the environment that the action's own steps run from, before any code under test has run.

It runs as a file, before anything is installed: it imports the standard library alone. Pythons that are too old for the
package can read it, and are told so. `python -ISB` keeps it from running anything from the job's environment.
"""

import compileall
import hashlib
import json
import os
import re
import runpy
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
from importlib.machinery import PathFinder
from pathlib import Path

_OLDEST = (3, 11)  # Python: requires-python in pyproject.toml
_HERE = Path(__file__).resolve().parent
_PACKAGE = _HERE.parent
# What the steps import. The package itself is copied from the action's checkout.
_LIBRARIES = ("click>=8.1", "PyYAML>=6.0.1", "jinja2>=3.1", "plotly>=6.0")
_NOT_COMPILED = re.compile("plotly|narwhals")  # thousands of files, of which one report reads a dozen
_RUN_PIP = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module('pip', run_name='__main__')"
# pip's settings that lead to the index. Others would put the libraries elsewhere, or leave some out.
_TO_THE_INDEX = (
    *("CACHE_DIR", "CERT", "CLIENT_CERT", "CONFIG_FILE", "CONSTRAINT", "DEFAULT_TIMEOUT", "EXTRA_INDEX_URL"),
    *("FIND_LINKS", "INDEX_URL", "NO_CACHE_DIR", "NO_INDEX", "PROXY", "RETRIES", "TIMEOUT", "TRUSTED_HOST"),
)
_OFF = ("NO_DEPS", "REQUIRE_HASHES", "REQUIRE_VIRTUALENV", "USER")  # also where a configuration file sets them
# The variables that the deciding steps get as they are now, whatever the code under test writes to GITHUB_ENV.
_KEPT = (
    *("CI", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ", "USER"),
    *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "all_proxy", "https_proxy", "http_proxy", "no_proxy"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_DIR", "SSL_CERT_FILE"),
)
_FIRST_LINES = """\
import hashlib, sys
try:
    code = open({path!r}, "rb").read()
except OSError:
    code = b""
if hashlib.sha256(code).hexdigest() != {digest!r}:
    print("::error title=memgate::NO ANSWER: something has changed the action's own file start.py")
    sys.exit(3)
exec(compile(code, {path!r}, "exec"), dict(__name__="__main__", FOLDER={folder!r}, SEALED={seal!r}))"""


def main() -> int:
    """Make the environment, write the step's outputs, and return the exit code."""
    if sys.version_info < _OLDEST:
        here = ".".join(map(str, sys.version_info[:2]))
        return _no(f"Python {here} is too old; give the input python-version, 3.11 or newer")
    pip = _pip()
    if not pip:
        return _no(f"{sys.executable} has no pip; put it there (uv venv --seed), or give the input python-version")
    start = runpy.run_path(str(_HERE / "start.py"))
    folder = Path(tempfile.mkdtemp(prefix="memgate-own-", dir=os.environ.get("RUNNER_TEMP"))).resolve()
    libraries = folder / start["LIBRARIES"]
    if _install(pip, libraries):
        return _no(f"pip did not install what the action itself needs ({', '.join(_LIBRARIES)}): its words stand above")
    package = libraries / _PACKAGE.name
    shutil.copytree(_PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(libraries, quiet=2, rx=_NOT_COMPILED)
    (folder / start["VARIABLES"]).write_text(json.dumps(_variables()), encoding="utf-8")
    outputs = {
        "python": sys.executable,
        "start": _first_lines(package / "github" / "start.py", str(folder), start["seal"](folder)),
        "libraries": os.environ.get("LD_LIBRARY_PATH", ""),
    }
    runpy.run_path(str(_HERE / "files.py"))["write_outputs"](Path(os.environ["GITHUB_OUTPUT"]), outputs)
    return 0


def _pip() -> str:
    """Return the folder or wheel that holds the job's pip, empty if there is none."""
    version = "python{}.{}".format(*sys.version_info)
    beside = Path(sys.executable).parent.parent / "lib" / version / "site-packages"  # a virtual environment's, too
    bundled = [Path(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")]
    bundled += [Path(folder) for folder in [sysconfig.get_config_var("WHEEL_PKG_DIR")] if folder]
    wheels = [str(wheel) for folder in bundled for wheel in sorted(folder.glob("pip-*.whl"))]
    places = [str(beside), sysconfig.get_path("purelib"), *site.getsitepackages(), *wheels]
    return next((place for place in places if PathFinder.find_spec("pip", [place])), "")


def _install(pip: str, libraries: Path) -> int:
    command = [sys.executable, "-ISBc", _RUN_PIP, pip, "install", "--quiet", "--no-compile"]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    given = [f"PIP_{name}" for name in _TO_THE_INDEX]
    environment.update({name: os.environ[name] for name in given if name in os.environ})
    environment.update({f"PIP_{name}": "0" for name in _OFF})
    environment.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
    return subprocess.call([*command, "--target", str(libraries), *_LIBRARIES], env=environment)  # noqa: S603


def _variables() -> "dict[str, str]":
    """Return the variables of the deciding steps; on their PATH, only git is looked for."""
    git = shutil.which("git")
    folders = [os.path.dirname(git)] if git else []  # noqa: PTH120  # as it stands there, with its links
    path = os.pathsep.join(dict.fromkeys([*folders, "/usr/bin", "/bin"]))
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, "PATH": path}


def _first_lines(start: Path, folder: str, seal: str) -> str:
    """Return the lines of Python that each later step runs.

    GitHub's runner keeps them, out of the reach of the code under test: they check the digest of a file before they run
    it, and that file then checks the rest.
    """
    digest = hashlib.sha256(start.read_bytes()).hexdigest()
    return _FIRST_LINES.format(path=str(start), digest=digest, folder=folder, seal=seal)


def _no(why: str) -> int:
    sys.stderr.write(f"memgate: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
