"""YAML with the safe loader, in its compiled form where there is one: it is about eight times as quick."""

from __future__ import annotations

from typing import IO, Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def loads(source: str | bytes | IO[str]) -> Any:
    """The one document of a text or an open file. Raises `yaml.YAMLError`."""
    return yaml.load(source, Loader=_LOADER)  # noqa: S506 - the safe loader, compiled
