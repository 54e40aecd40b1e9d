"""A release on disk, and where components lie. Reads YAML and JSON only, so that the serving process may import it.

<root>/<component>/component.yaml
<root>/<component>/releases/<version>/{signature.yaml, examples.yaml, release.json, card.md, card.en.md}
                                      {model.onnx, intervals.json} of a model
"""

from __future__ import annotations

import contextlib
import difflib
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
from shared import safe_yaml

SHIPPED = Path(__file__).resolve().parent.parent / "content" / "components"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
VERSION = re.compile(r"^\d+\.\d+\.\d+$")
ALIASES = ("stable", "candidate")
MOST_NAMED = 8
"""Components named to somebody who asks for one that is not there: those whose names are most alike."""


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
    def reference(self) -> dict[str, Any]:
        """How inputs and answers were spread in training; empty when nobody said."""
        found: dict[str, Any] = _json(self.folder / "reference.json")
        return found

    @property
    def endpoint(self) -> dict[str, Any] | None:
        """Address and domains of a provider's own service."""
        found: dict[str, Any] | None = _json(self.folder / "endpoint.json") or None
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
    output_names: list[str] = field(default_factory=list)
    intervals: Mapping[str, Any] = field(default_factory=dict)
    tool: Callable[..., Any] | None = None
    prepare: Any = None
    """Module that makes features from history, of a model that needs the past."""
    ranges: Any = None
    """What the open protocol compares each row with, made once."""
    held_bytes: int = 0
    """About what it takes in memory."""
    used_at: float = 0.0
    """On the monotonic clock."""
    seen: Any = None
    """A short queue of what was computed lately, in a runner that watches its releases."""
    seen_whole: bool = False
    """Whether every row of a large call is set aside, as a job does, rather than a sample."""

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def version(self) -> str:
        return self.about.version

    @property
    def signature(self) -> Signature:
        return self.about.signature


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list of components needs of each."""

    name: str
    folder: Path
    organisation: str
    """Of a private component; empty for all others."""
    stable: str
    kind: str = "model"
    provider: str = ""
    """The organisation whose runner it runs in; empty for the platform's own."""


def is_visible(organisation: Any, caller: str | None) -> bool:
    """Whether a component of `organisation` (none: public) exists for this caller. None stands for the platform itself."""
    return caller is None or not organisation or organisation == caller


def component_names(roots: Sequence[Path]) -> list[str]:
    return sorted({path.parent.name for root in roots for path in root.glob("*/component.yaml")})


def entries(roots: Sequence[Path], caller: str | None = None) -> list[Entry]:
    """The components that exist for `caller`, by name. Of two with one name the first root's counts."""
    found: dict[str, Entry] = {}
    for root in roots:
        for path in root.glob("*/component.yaml"):
            if path.parent.name not in found:
                # One that is being written or is damaged keeps nobody from the others.
                with contextlib.suppress(OSError, ValueError, AttributeError, yaml.YAMLError):
                    found[path.parent.name] = _entry(path, path.stat().st_mtime_ns)
    return [each for _, each in sorted(found.items()) if is_visible(each.organisation, caller)]


def component_folder(roots: Sequence[Path], name: str, caller: str | None = None) -> Path:
    """Raises `UnknownRelease`; a private component of somebody else is not there."""
    if NAME.match(name):
        for root in roots:
            path = root / name / "component.yaml"
            if path.is_file():
                if is_visible(_entry(path, path.stat().st_mtime_ns).organisation, caller):
                    return root / name
                break
    raise UnknownRelease(component=name[:80], release="stable", known=_alike(name[:80], entries(roots, caller)))


def _alike(name: str, known: Sequence[Entry]) -> list[str]:
    names = [each.name for each in known]
    return difflib.get_close_matches(name, names, MOST_NAMED, 0.5) or names[:MOST_NAMED]


def versions_of(folder: Path) -> list[str]:
    """Versions of a component, newest last."""
    found = [path.name for path in (folder / "releases").iterdir() if VERSION.match(path.name)]
    return sorted(found, key=lambda version: tuple(int(part) for part in version.split(".")))


def open_release(roots: Sequence[Path], name: str, release: str = "", caller: str | None = None) -> ReleaseFolder:
    """The release by version or alias (default `stable`). Raises `UnknownRelease` naming those that exist for `caller`
    (an organisation or guest, empty for nobody in particular; None asks for the platform itself, which sees all)."""
    folder = component_folder(roots, name, caller)
    component = _yaml(folder / "component.yaml")
    wanted = release or "stable"
    version = component.get("aliases", {}).get(wanted, wanted)
    versions = versions_of(folder)
    if version not in versions:
        known = [*component.get("aliases", {}), *versions]
        raise UnknownRelease(component=name, release=wanted[:80], known=known)
    place = folder / "releases" / version
    return ReleaseFolder(name, version, place, component, Signature.from_mapping(_yaml(place / "signature.yaml")))


@lru_cache(maxsize=8192)
def _entry(path: Path, stamp: int) -> Entry:
    about = _parsed(path, stamp)
    stable = str(about.get("aliases", {}).get("stable", ""))
    return Entry(
        path.parent.name, path.parent, str(about.get("organisation") or ""), stable, str(about.get("kind")),
        str(about.get("provider") or ""),
    )  # fmt: skip


def entry_of(roots: Sequence[Path], name: str) -> Entry | None:
    """What a list says of one component, whoever asks; None when there is none or it cannot be read."""
    if NAME.match(name):
        for root in roots:
            path = root / name / "component.yaml"
            with contextlib.suppress(OSError, ValueError, AttributeError, yaml.YAMLError):
                return _entry(path, path.stat().st_mtime_ns)
    return None


@lru_cache(maxsize=256)
def _parsed(path: Path, _stamp: int) -> Any:
    with path.open(encoding="utf-8") as file:
        return safe_yaml.loads(file)


def _yaml(path: Path) -> Any:
    return _parsed(path, path.stat().st_mtime_ns)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
