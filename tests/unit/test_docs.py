"""What the pages name is there: options, commands, files and settings."""

import argparse
import re
from pathlib import Path

import click
import pytest

from pytest_memgate.cli.main import cli
from pytest_memgate.config.located import from_yaml
from pytest_memgate.config.schema import read_settings
from pytest_memgate.plugin.flags import OPTIONS

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "example_project" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> str:
    text: str = request.param.read_text(encoding="utf-8")
    return text


def test_every_option_named_is_there(page: str) -> None:
    known = {"--memgate", "--no-memgate-strict", *(option.flag for option in OPTIONS)}
    named = {name.rstrip("-") for name in re.findall(r"--(?:no-)?memgate[a-z-]*", page)}
    assert named <= known


def test_every_option_is_documented() -> None:
    table = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    shown = [option.flag for option in OPTIONS if option.help != argparse.SUPPRESS]
    assert [flag for flag in shown if f"| `{flag}" not in table] == []


def test_every_command_named_is_there(page: str) -> None:
    known = set(cli.commands)
    baseline = cli.commands["baseline"]
    assert isinstance(baseline, click.Group)
    lines = re.findall(r"^\$ memgate ([a-z]+) ?([a-z]*)", page, re.MULTILINE)
    lines += re.findall(r"`memgate ([a-z]+) ?([a-z]*)", page)
    for command, verb in lines:
        assert command in known
        if command == "baseline" and verb:
            assert verb in baseline.commands


def test_every_link_inside_the_project_leads_somewhere(page: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.node.callspec.params["page"].parent
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page):
        assert (folder / target).exists(), target


def test_every_configuration_shown_is_valid() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "budgets" in block]
    assert blocks
    for block in blocks:
        read_settings(from_yaml(block, "configuration.md"))


def test_the_pages_say_nothing_of_one_machine(page: str) -> None:
    assert not re.search(r"/(root|work|tmp)/", page)
