"""A release on disk, and where components lie. Reads YAML and JSON only, so that the serving process may import it.

<root>/<component>/component.yaml
<root>/<component>/releases/<version>/{signature.yaml, examples.yaml, release.json, card.md, card.en.md}
                                      {model.onnx, intervals.json} of a model
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from services.models.errors import UnknownRelease
from services.models.inference.signature import Signature

SHIPPED = Path(__file__).resolve().parent.parent / "content" / "components"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
VERSION = re.compile(r"^\d+\.\d+\.\d+$")
ALIASES = ("stable", "candidate")


@dataclass(frozen=True)
class ReleaseFolder:
    """What is written about a release, without its model."""

    name: str
    version: str
    folder: Path
    component: Mapping[str, Any]
    signature: Signature

    @property
    def kind(self) -> str:
        return str(self.component["kind"])

    @property
    def examples(self) -> list[dict[str, Any]]:
        return _yaml(self.folder / "examples.yaml") or []

    @property
    def lineage(self) -> dict[str, Any]:
        found: dict[str, Any] = _json(self.folder / "release.json")
        return found

    @property
    def card(self) -> str:
        return self._text("card.md")

    @property
    def card_en(self) -> str:
        return self._text("card.en.md")

    def _text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""


@dataclass
class LoadedRelease:
    """A release ready to compute, in the runner."""

    about: ReleaseFolder
    session: Any = None
    """onnxruntime.InferenceSession of a model."""
    input_name: str = ""
    intervals: Mapping[str, Any] = field(default_factory=dict)
    tool: Callable[..., Any] | None = None
    prepare: Any = None
    """Module that makes features from history, of a model that needs the past."""

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def version(self) -> str:
        return self.about.version

    @property
    def signature(self) -> Signature:
        return self.about.signature


def component_names(roots: Sequence[Path]) -> list[str]:
    return sorted({path.parent.name for root in roots for path in root.glob("*/component.yaml")})


def component_folder(roots: Sequence[Path], name: str) -> Path:
    if NAME.match(name):
        for root in roots:
            if (root / name / "component.yaml").is_file():
                return root / name
    raise UnknownRelease(component=name[:80], release="stable", known=component_names(roots))


def versions_of(folder: Path) -> list[str]:
    """Versions of a component, newest last."""
    found = [path.name for path in (folder / "releases").iterdir() if VERSION.match(path.name)]
    return sorted(found, key=lambda version: tuple(int(part) for part in version.split(".")))


def open_release(roots: Sequence[Path], name: str, release: str = "") -> ReleaseFolder:
    """The release by version or alias (default `stable`). Raises `UnknownRelease` naming those that exist."""
    folder = component_folder(roots, name)
    component = _yaml(folder / "component.yaml")
    wanted = release or "stable"
    version = component.get("aliases", {}).get(wanted, wanted)
    versions = versions_of(folder)
    if version not in versions:
        known = [*component.get("aliases", {}), *versions]
        raise UnknownRelease(component=name, release=wanted[:80], known=known)
    place = folder / "releases" / version
    return ReleaseFolder(name, version, place, component, Signature.from_mapping(_yaml(place / "signature.yaml")))


@lru_cache(maxsize=256)
def _parsed(path: Path, _stamp: int) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)  # noqa: S506 - the safe loader, compiled


def _yaml(path: Path) -> Any:
    return _parsed(path, path.stat().st_mtime_ns)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
