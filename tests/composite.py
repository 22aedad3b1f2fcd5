"""A composite action run as GitHub's runner would: conditions, substitution, and the files that steps write."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")
_BASH = "bash --noprofile --norc -eo pipefail {0}"  # what GitHub makes of `shell: bash`
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass(slots=True)
class Done:
    """What one step did: `code` is None where it did not run, `given` are a `uses:` step's inputs."""

    name: str
    code: int | None = None
    out: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        return "skipped" if self.code is None else "failure" if self.code else "success"


@dataclass(slots=True)
class Job:
    """What all steps did."""

    steps: list[Done]
    failed: bool
    outputs: dict[str, str]

    @property
    def out(self) -> str:
        return "".join(step.out for step in self.steps)

    @property
    def gate(self) -> Done:
        return self.steps[-1]

    @property
    def summary(self) -> str:
        return "".join(step.summary for step in self.steps)

    def step(self, name: str) -> Done:
        return next(step for step in self.steps if step.name == name)


# What the step `own` gave, by the action and its Python; the environment that it makes serves all tests of a session.
_OWN: dict[tuple[Path, Path], dict[str, str]] = {}


class Runner:
    """Runs the steps of `action` in `workspace`; `python` is the one that the steps find, the tests' own by default.

    That one has the plugin, and the step `install` is taken for done where nothing `installs`. The step `own` is done
    once for all tests but those that ask for a `fresh` one.
    """

    def __init__(
        self,
        action: Path,
        workspace: Path,
        temp: Path,
        env: Mapping[str, str],
        *,
        python: Path | None = None,
        fresh: bool = False,
        installs: bool = False,
    ) -> None:
        self._installs = installs
        self._own = (action, python or Path(sys.executable))
        if fresh:
            _OWN.pop(self._own, None)
        self._action = yaml.safe_load(action.read_text(encoding="utf-8"))
        self._workspace = workspace
        self._temp = temp
        temp.mkdir(exist_ok=True)
        clean = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        self._env = {
            **clean,
            "PATH": f"{self._own[1].parent}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(action.parent),
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(temp),
            **env,
        }
        self._known: dict[str, Any] = {"github.token": "the-token", "runner.temp": str(temp)}
        self._done: list[Done] = []

    def run(self, *only: str, **inputs: str) -> Job:
        """Run all steps, or those with a name in `only`; `_` in an input's name stands for `-`."""
        self._take(inputs)
        self._done = []
        return self._go_on(only)

    def _take(self, inputs: Mapping[str, str]) -> None:
        given = {name.replace("_", "-"): text for name, text in inputs.items()}
        declared = self._action["inputs"]
        assert given.keys() <= declared.keys()
        for name, one in declared.items():
            self._known[f"inputs.{name}"] = given.get(name, self._filled(one.get("default", "")))

    def again(self, first: str, env: Mapping[str, str] | None = None, **inputs: str) -> Job:
        """Run the steps once more from the one of the name `first` on; those before it stay done.

        The variables and inputs are what changes for them; of an input that is not given, the default counts.
        """
        names = [one.name for one in self._done]
        self._done = self._done[: names.index(first)]
        self._env |= env or {}
        self._take(inputs)
        return self._go_on()

    def outputs(self, name: str) -> dict[str, str]:
        """Return what a step gave."""
        return next(one.outputs for one in self._done if one.name == name)

    def _go_on(self, only: tuple[str, ...] = ()) -> Job:
        """Do the steps that are not done yet, or those of them with a name in `only`."""
        done, failed = self._done, False
        for number, step in enumerate(self._action["runs"]["steps"]):
            if number == len(done):
                name = step.get("id", step.get("uses", str(number)).partition("@")[0])
                one = Done(name)
                condition = step.get("if", "")
                named = not only or name in only
                if named and self._holds(condition) and ("always()" in condition or not failed):
                    self._do(step, one)
                done.append(one)
                self._known[f"steps.{name}.outcome"] = one.outcome
                self._known |= {f"steps.{name}.outputs.{key}": value for key, value in one.outputs.items()}
            failed |= bool(done[number].code) and not step.get("continue-on-error", False)
        outputs = {name: self._filled(one["value"]) for name, one in self._action.get("outputs", {}).items()}
        return Job(list(done), failed, outputs)

    def _do(self, step: Mapping[str, Any], done: Done) -> None:
        if "uses" in step:
            done.given = {name: self._filled(text) for name, text in step.get("with", {}).items()}
            done.code = 0
        elif done.name == "install" and not self._installs:
            done.code = 0
        elif done.name == "own" and self._own in _OWN:
            done.code, done.outputs = 0, _OWN[self._own]
        else:
            self._shell(step, done)
            if done.name == "own" and done.code == 0:
                _OWN[self._own] = done.outputs

    def _shell(self, step: Mapping[str, Any], done: Done) -> None:
        script = self._temp / "script.sh"
        script.write_text(self._filled(step["run"]), encoding="utf-8")
        shell = step["shell"]
        files = {name: self._temp / name.lower() for name in _FILES}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        env = {name: self._filled(text) for name, text in step.get("env", {}).items()}
        ended = subprocess.run(
            [word.replace("{0}", str(script)) for word in shlex.split(_BASH if shell == "bash" else shell)],
            cwd=self._workspace,
            env={**self._env, **{name: str(file) for name, file in files.items()}, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=240,
            check=False,
        )
        done.code, done.out = ended.returncode, ended.stdout
        done.outputs = _pairs(files["GITHUB_OUTPUT"])
        done.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        self._env |= _pairs(files["GITHUB_ENV"])
        for folder in files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines():
            self._env["PATH"] = f"{folder}{os.pathsep}{self._env['PATH']}"

    def _filled(self, text: Any) -> str:
        whole = str(text).lower() if isinstance(text, bool) else str(text)
        return _HOLE.sub(lambda hole: str(self._value(hole[1])), whole)

    def _holds(self, condition: str) -> bool:
        return bool(self._value(condition)) if condition else True

    def _value(self, text: str) -> Any:
        """Return the value of an expression of the forms that the actions use."""
        text = text.strip()
        for operator in ("||", "&&"):
            left, found, right = text.partition(operator)
            if found:
                first = self._value(left)
                return first if bool(first) is (operator == "||") else self._value(right)
        for operator in ("==", "!="):
            left, found, right = text.partition(operator)
            if found:
                return (self._value(left) == self._value(right)) is (operator == "==")
        if text.startswith("'"):
            return text[1:-1]
        if text == "always()":
            return True
        assert re.fullmatch(r"(inputs|steps|github|runner)[\w.-]+", text), text
        return self._known.get(text, "")


def _pairs(file: Path) -> dict[str, str]:
    """Read a file of names and values, each on a line or up to the end that it names."""
    pairs: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        name, plain, value = line.partition("=")
        if "<<" in name:
            name, _, end = line.partition("<<")
            kept = []
            for inner in lines:
                if inner == end:
                    break
                kept.append(inner)
            pairs[name] = "\n".join(kept)
        elif plain:
            pairs[name] = value
    return pairs
