"""The options in a list of words, as pytest's own parser reads them."""

import argparse
from collections.abc import Sequence
from typing import Any

import pytest


def parsed(config: pytest.Config, words: Sequence[str]) -> argparse.Namespace:
    """Return the options in `words`, and all others with their defaults.

    An option that the project requires may be missing. Raises pytest.UsageError for words without a meaning.
    """
    parser: Any = config._parser
    make = getattr(parser, "_getparser", None)  # before pytest 9 each parsing makes a parser anew
    options: argparse.ArgumentParser = make() if make else parser.optparser
    required = [action for action in options._actions if action.required]
    for action in required:
        action.required = False
    try:
        found: argparse.Namespace
        found = options.parse_known_args(list(words))[0] if make else parser.parse_known_args(list(words))
    finally:
        for action in required:
            action.required = True
    return found
