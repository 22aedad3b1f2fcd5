"""For runs that repeat some of the tests: no report or log that the project's own options ask for is written.

Loaded with `-p`. The run that a person started has written these files already.
"""

import os

import pytest

_NOTHING = {
    "xmlpath": None,
    "log_file": os.devnull,  # pytest takes the name that its configuration gives where there is none
    "htmlpath": None,
    "report_log": None,
    "allure_report_dir": None,
    "benchmark_autosave": False,
    "benchmark_save": None,
    "benchmark_json": None,
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Switch off the options that write files."""
    for name, nothing in _NOTHING.items():
        if hasattr(config.option, name):
            setattr(config.option, name, nothing)
    if not hasattr(config, "workerinput"):
        config.option.basetemp = None  # pytest empties that folder
    coverage = config.pluginmanager.get_plugin("_cov")
    if coverage:
        coverage.options.cov_report.clear()


def without_the_gate(config: pytest.Config) -> None:
    """Run in this process and without the gate, whatever the project's own options say."""
    for name in [name for name in vars(config.option) if name.startswith("memgate")]:
        setattr(config.option, name, None)
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.tx, config.option.dist = None, [], "no"
