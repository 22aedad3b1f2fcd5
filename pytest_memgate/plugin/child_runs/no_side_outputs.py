"""For runs that look at some of the tests once more: nothing is written that the project's own options ask for.

Loaded with `-p`. What such a run would write, a report, a log, stands there from the run that people have asked for.
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
    for name, nothing in _NOTHING.items():
        if hasattr(config.option, name):
            setattr(config.option, name, nothing)
    if not hasattr(config, "workerinput"):
        config.option.basetemp = None  # pytest empties that folder
    coverage = config.pluginmanager.get_plugin("_cov")
    if coverage:
        coverage.options.cov_report.clear()


def without_the_gate(config: pytest.Config) -> None:
    """Let the run that begins be in this process, and without the gate, whatever the project's own options say."""
    for name in [name for name in vars(config.option) if name.startswith("memgate")]:
        setattr(config.option, name, None)
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.tx, config.option.dist = None, [], "no"
