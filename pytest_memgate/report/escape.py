"""Foreign text made inert: names of tests, files and resources, reasons, and messages of tools."""

import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
# Letters, digits and the few marks that mean nothing to Markdown, HTML or a link finder within a line; a full stop or a
# colon means nothing at the end of a word, nor a point within a number. A number with a point may begin a list.
_MEANING = re.compile(r"^\d+\.(?= |$)|(?![.:;?!](?:\s|$)|(?<=\d)\.(?=\d))[^\w ,%+()\u00a0-\U0010ffff-]|_", re.ASCII)
_ENDING = re.compile(r"[^\w ./+()-]")
_BEFORE_NAMES = re.compile(r"([@#])(?=\w)")


def one_line(text: str) -> str:
    """Return a text without line breaks, control characters and marks that turn the direction of writing."""
    return _CONTROLS.sub(" ", text).strip()


def markdown_text(text: str) -> str:
    """Return a text for Markdown: nothing in it is markup, a link, a mention or a reference to an issue."""
    return _entities(_BEFORE_NAMES.sub("\\1\u200b", one_line(text)))


def markdown_code(text: str) -> str:
    """Return a name for Markdown, also within a table, in the type of code."""
    return f"<code>{_entities(one_line(text))}</code>"


def fenced(lines: list[str], language: str = "") -> str:
    """Return lines in a fenced block of Markdown, which nothing in them can close."""
    kept = [_CONTROLS.sub(" ", line) for line in lines]
    longest = max((len(run) for line in kept for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *kept, fence])


def mermaid_label(text: str) -> str:
    """Return the text of a node, in quotes, with Mermaid's own entities for characters that could end it."""
    safe = _ENDING.sub(lambda found: f"#{ord(found[0])};", one_line(text))
    return f'"{safe}"'


def command_data(text: str) -> str:
    """Return the message of a GitHub workflow command."""
    clean = "\n".join(_CONTROLS.sub(" ", line) for line in text.splitlines())
    return clean.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """Return the value of a property of a GitHub workflow command."""
    return command_data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def _entities(text: str) -> str:
    return _MEANING.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", text)
