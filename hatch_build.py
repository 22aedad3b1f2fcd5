"""Puts memgate_children.pth beside the package in an editable installation, too: there Python looks for such files."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FILE = "memgate_children.pth"


class EditableHook(BuildHookInterface[Any]):
    """A wheel has the file by its configuration; an editable one has no files of the project by itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file to an editable wheel."""
        if version == "editable":
            build_data["force_include_editable"][f"{self.root}/{_FILE}"] = _FILE
