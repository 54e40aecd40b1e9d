"""What the runner counts of each release: calls, errors and time at once; the spread of inputs and answers, and what
the other release would have said, a second later in a thread of its own, from a sample. Taken away by whoever asks.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.inference.compute import Computed
from services.models.inference.counts import bucket
from services.models.inference.observed import Observed, all_of, count
from services.models.inference.release import LoadedRelease
from services.models.inference.seen import Seen
from shared.errors import Refused

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
COMPARED_ROWS = 64
"""Rows a second whose answers are compared with the other release's."""
MOST_IDENTIFIED = 100
"""Of one call."""
MOST_LOGGED = 20_000
"""Predictions with an id that wait to be taken away; the oldest are lost beyond."""

OfOther = Callable[[str, str, NDArray[np.float32]], tuple[LoadedRelease, Computed] | None]
"""`(name, version, matrix)` -> what the candidate says beside the stable release, or the other way round; or None."""


class Observing:
    def __init__(self, of_other: OfOther) -> None:
        self._of_other = of_other
        self._observed: dict[tuple[str, str], Observed] = {}
        self._logged: deque[dict[str, Any]] = deque(maxlen=MOST_LOGGED)
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True, name="observing").start()

    def watch(self, release: LoadedRelease) -> None:
        """Counts what this release computes from now on."""
        if release.seen is None:
            with self._lock:
                observed = self._observed.setdefault((release.name, release.version), Observed(release))
            release.seen = observed.seen

    def called(self, release: LoadedRelease, seconds: float, *, failed: bool) -> None:
        """One call, at the price of a few additions."""
        observed = self._observed.get((release.name, release.version))
        if observed is None:
            return
        observed.calls += 1
        observed.errors += failed
        observed.buckets[bucket(seconds * 1000)] += 1

    def identified(self, release: LoadedRelease, owner: str, answer: dict[str, Any]) -> None:
        """Gives each prediction of a friendly answer an id, by which its true value may be told later."""
        now = time.time()
        for each in answer["predictions"][:MOST_IDENTIFIED]:
            each["id"] = f"prd-{secrets.token_hex(12)}"
            kept = {name: each[name] for name in ("value", "unit", "interval", "set") if name in each}
            self._logged.append(
                {"id": each["id"], "component": release.name, "release": release.version, "owner": owner, "at": now,
                 "answer": kept}
            )  # fmt: skip

    def taken(self) -> dict[str, Any]:
        """All counts since the last time, which start anew."""
        self._look()
        found = []
        with self._lock:
            for observed in self._observed.values():
                if observed.calls or observed.rows:
                    found.append(observed.as_json())
                    observed.clear()
            logged = [self._logged.popleft() for _ in range(len(self._logged))]
        return {"observed": found, "logged": logged}

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            try:
                self._look()
            except Exception:
                log.exception("what was seen could not be counted")

    def _look(self) -> None:
        for observed in list(self._observed.values()):
            seen = all_of(observed.seen)
            if not seen:
                continue
            with self._lock:
                count(observed, seen)
            self._compare(observed, seen)

    def _compare(self, observed: Observed, seen: list[Seen]) -> None:
        """What the other release of the same component says of the same rows: nobody waits for it."""
        matrix = np.concatenate([each.matrix for each in seen])[:COMPARED_ROWS]
        answers = np.concatenate([each.answers for each in seen])[:COMPARED_ROWS]
        try:
            found = self._of_other(observed.name, observed.version, matrix)
        except (Refused, MemoryError) as wrong:
            log.warning("%s could not be compared: %s", observed.name, type(wrong).__name__)
            return
        if found is None:
            return
        other, computed = found
        with self._lock:
            _add_difference(observed, other, answers, computed.values, computed.probabilities)


def _add_difference(observed: Observed, other: LoadedRelease, answers: Any, values: Any, probabilities: Any) -> None:
    found = observed.compared
    if found.get("with") != other.version:
        found = observed.compared = {
            "with": other.version, "rows": 0, "sum": 0.0, "absolute": 0.0, "largest": 0.0, "disagreed": 0
        }  # fmt: skip
    if (probabilities is None) != (answers.ndim == 1):
        return
    found["rows"] += int(answers.shape[0])
    if probabilities is not None:
        if probabilities.shape == answers.shape:
            found["disagreed"] += int((np.argmax(probabilities, axis=1) != np.argmax(answers, axis=1)).sum())
        return
    apart = np.asarray(values) - answers
    found["sum"] += float(apart.sum())
    found["absolute"] += float(np.abs(apart).sum())
    found["largest"] = max(found["largest"], float(np.abs(apart).max()))
