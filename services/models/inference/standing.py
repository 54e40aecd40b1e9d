"""Where a component stands, as the hand-over looks it up at every call: its stage, its sunset, its candidate's share.

Filled from the rows by whoever serves; this file knows no database.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from services.models.errors import Quarantined, Retired
from services.models.inference.frames import INFER, LOAD, METADATA, PREDICT, READY, Ask
from services.models.inference.release import is_visible

DRAFT, PUBLISHED, DEPRECATED, QUARANTINED, RETIRED = "draft", "published", "deprecated", "quarantined", "retired"
STAGES = (DRAFT, PUBLISHED, DEPRECATED, QUARANTINED, RETIRED)
CALLED = (PUBLISHED, DEPRECATED)
"""Stages in which a call is answered; a draft answers its own organisation only."""
_PARTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Of a component about which there is something to say; all others are simply published."""

    stage: str = PUBLISHED
    organisation: str | None = None
    """Of a private component, for whom alone the stage is told."""
    reason: str = ""
    since: datetime | None = None
    sunset: datetime | None = None
    replaced_by: str = ""
    candidate: str = ""
    """The release that takes a share of the calls that name none."""
    candidate_percent: float = 0.0


class Standings:
    """`of(name)` for every call; replaced as a whole whenever rows changed."""

    def __init__(self, kept: Path | None = None) -> None:
        """`kept`: a file that outlives the process, so that a database that is away frees no quarantined component."""
        self._kept = kept
        self._by_name: Mapping[str, Standing] = _read(kept)

    def of(self, name: str) -> Standing | None:
        return self._by_name.get(name)

    def take(self, found: Mapping[str, Standing]) -> None:
        if found == self._by_name:
            return
        self._by_name = dict(found)
        if self._kept is not None:
            draft = self._kept.with_suffix(f".{os.getpid()}")
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({name: asdict(each) for name, each in found.items()}, default=str), "utf-8")
            draft.replace(self._kept)


def admitted(standing: Standing | None, ask: Ask) -> dict[str, str]:
    """Headers that the answer gets. A call that names no release may be given the candidate.

    Raises `Quarantined` (503) for what computes, `Retired` (410) for everything.
    """
    if standing is None or not is_visible(standing.organisation, ask.organisation):
        # Whoever may not see it is told by the runner that there is none.
        return {}
    if standing.stage == RETIRED:
        raise Retired(component=ask.name, reason=standing.reason or "-", replaced_by=standing.replaced_by or "-")
    if standing.stage == QUARANTINED and ask.kind in (INFER, PREDICT, READY, LOAD):
        raise Quarantined(component=ask.name, reason=standing.reason or "-")
    if ask.kind in (INFER, PREDICT) and not ask.release and takes_candidate(standing, ask.request_id):
        ask.release = standing.candidate
    return _headers(standing) if standing.stage == DEPRECATED and ask.kind != METADATA else {}


def takes_candidate(standing: Standing, request_id: str) -> bool:
    """By a hash of the request id: the same id is always answered by the same release."""
    if not standing.candidate or not standing.candidate_percent:
        return False
    return zlib.crc32(request_id.encode()) % _PARTS < standing.candidate_percent * _PARTS / 100


def _headers(standing: Standing) -> dict[str, str]:
    """`Deprecation` as RFC 9745 writes it, `Sunset` as RFC 8594 does."""
    found = {}
    if standing.since is not None:
        found["Deprecation"] = f"@{int(standing.since.timestamp())}"
    if standing.sunset is not None:
        found["Sunset"] = format_datetime(standing.sunset, usegmt=True)
    if standing.replaced_by:
        found["Link"] = f'</api/v1/components/{standing.replaced_by}>; rel="successor-version"'
    return found


def _read(kept: Path | None) -> dict[str, Standing]:
    if kept is None or not kept.exists():
        return {}
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        return {name: Standing(**{**each, **_moments(each)}) for name, each in found.items()}
    except (OSError, ValueError, TypeError):
        return {}


def _moments(each: Mapping[str, str | None]) -> dict[str, datetime | None]:
    return {name: datetime.fromisoformat(text) if (text := each.get(name)) else None for name in ("since", "sunset")}
