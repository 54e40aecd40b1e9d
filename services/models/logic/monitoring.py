"""What a component's provider sees of its use: calls, drift, how right it was; and how the candidate compares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.models.inference.counts import BUCKETS_MS
from services.models.logic import alerts
from services.models.logic.drift import drift
from services.models.logic.observations import sums
from services.models.store import observations as store
from services.models.store.components import KIND, Component, Release, release_id
from services.models.store.observations import Prediction
from services.models.store.schema import TABLES
from shared.database import Database, Scoped, utc_now
from shared.errors import Forbidden
from shared.identity import SYSTEM, Principal

MOST_SETTLED = 5000
FEWEST_SETTLED = 30
WORSE = 1.5
"""Times the stated mean absolute error."""
ALARM_EVERY = timedelta(days=1)
"""The same component raises no second alarm of its kind within a day."""


def comparison(database: Database, principal: Principal, name: str, hours: int) -> dict[str, Any]:
    """Stable release beside candidate. Raises `NotFound`, `Forbidden`."""
    with database.read() as session:
        row = _watched_row(Scoped(session, principal), principal, name)
        counts = sums(store.observed(session, name, utc_now() - timedelta(hours=hours)))
    aliases = row.content["aliases"]
    found = {
        "stable": row.stable, "candidate": aliases.get("candidate", ""),
        "candidate_percent": (row.lifecycle or {}).get("candidate_percent", 0.0),
        "hours": hours,
        "releases": [{"release": release, **_usage(each)} for release, each in sorted(counts.items())],
    }  # fmt: skip
    pair = {row.stable, found["candidate"]}
    told = [
        _signed(each["compared"], release == row.stable)
        for release, each in counts.items()
        if each["compared"] and {release, each["compared"]["with"]} == pair
    ]
    return {**found, "differences": _differences(told)}


def monitoring(database: Database, principal: Principal, name: str, hours: int) -> dict[str, Any]:
    """Use, drift and accuracy of each release. Raises `NotFound`, `Forbidden`."""
    since = utc_now() - timedelta(hours=hours)
    with database.read() as session:
        row = _watched_row(Scoped(session, principal), principal, name)
        counts = sums(store.observed(session, name, since))
        settled = store.settled(session, name, since, MOST_SETTLED)
        content = {each: _content(session.get(Release, release_id(name, each))) for each in counts}
    releases = []
    for release, each in sorted(counts.items()):
        mine = [prediction for prediction in settled if prediction.release == release]
        releases.append(
            {"release": release, **_usage(each), **spread(content[release], each), "accuracy": accuracy(mine)}
        )
    return {"component": row.id, "hours": hours, "releases": releases}


def settle(database: Database, principal: Principal, name: str, actuals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Says what came of predictions. An id that is not of this component or of another caller is unknown."""
    with database.write() as session:
        Scoped(session, principal).get(Component, name, KIND)
        known = store.predictions(session, [each["id"] for each in actuals])
        taken, unknown = 0, []
        for each in actuals:
            row = known.get(each["id"])
            if row is None or row.component != name or (row.owner and row.owner != principal.owner):
                unknown.append(each["id"])
                continue
            row.actual, row.actual_at = {"value": each["actual"]}, utc_now()
            taken += 1
    return {"accepted": taken, "unknown": unknown}


def raise_alarms(database: Database) -> int:
    """Looks at what was called in the last day; inputs or answers that moved, and errors far above those that the
    release states, become events. How many."""
    since, raised = utc_now() - timedelta(hours=24), 0
    with database.read() as session:
        names = store.called_since(session, since)
    for name in names:
        with database.write() as session:
            settled = store.settled(session, name, utc_now() - timedelta(days=7), MOST_SETTLED)
            for release, counts in sums(store.observed(session, name, since)).items():
                content = _content(session.get(Release, release_id(name, release)))
                moved = [each for each in spread(content, counts)["drift"] if each["verdict"] == "moved"]
                raised += _raise(session, name, release, "drift", {"moved": moved[:20]} if moved else {})
                worse = worse_than_stated(content, [each for each in settled if each.release == release])
                raised += _raise(session, name, release, "accuracy", worse)
    return raised


def _raise(session: Session, name: str, release: str, event: str, facts: Mapping[str, Any]) -> int:
    key = f"{name}@{release}"
    if not facts or _said_lately(session, key, event):
        return 0
    told = {"release": release, **facts}
    TABLES.record(session, SYSTEM, event, KIND, key, facts=told)
    alerts.raise_for(session, name, event, told)
    return 1


def worse_than_stated(content: Mapping[str, Any], settled: Sequence[Prediction]) -> dict[str, Any]:
    """What a release states of itself and what was measured, when the latter is far worse; else nothing."""
    found = accuracy(settled)
    metrics = (content.get("lineage") or {}).get("metrics") or {}
    if found is None or not found["enough"]:
        return {}
    for metric in ("mae", "accuracy"):
        stated: Any = metrics.get(metric)
        measured: Any = found.get(metric)
        if not _number(stated) or not _number(measured):
            continue
        if metric == "mae":
            worse = measured > WORSE * stated
        else:
            # Three standard errors of a share below what is stated.
            worse = measured < stated - 3 * math.sqrt(max(stated * (1 - stated), 0.01) / found["count"])
        if worse:
            return {"metric": metric, "stated": stated, "measured": measured, "count": found["count"]}
    return {}


def spread(content: Mapping[str, Any], counts: Mapping[str, Any]) -> dict[str, Any]:
    """Drift of each feature and of the answers, against what is stored with the release."""
    reference = content.get("reference") or {}
    features, rows = reference.get("features", {}), int(reference.get("rows", 0))
    tests = len(features) + 1
    found = []
    for name, told in features.items():
        each = drift(told["shares"], counts["features"].get(name, []), rows, tests)
        found.append({"feature": name, **vars(each)})
    prediction = reference.get("prediction")
    answers = vars(drift(prediction["shares"], counts["prediction"], rows, tests)) if prediction else None
    if answers is not None and answers["verdict"] == "moved":
        found.append({"feature": "", **answers})
    return {"drift": found, "prediction_drift": answers, "has_reference": bool(features)}


def accuracy(settled: Sequence[Prediction]) -> dict[str, Any] | None:
    """Errors of the predictions whose true value was told; None while there are none."""
    pairs = [(each.answer, (each.actual or {}).get("value")) for each in settled]
    numbers = [(answer, actual) for answer, actual in pairs if _number(actual) and _number(answer.get("value"))]
    if numbers:
        errors = [answer["value"] - actual for answer, actual in numbers]
        banded = [(answer["interval"], actual) for answer, actual in numbers if answer.get("interval")]
        inside = [band["low"] <= actual <= band["high"] for band, actual in banded]
        return {
            "count": len(errors), "enough": len(errors) >= FEWEST_SETTLED,
            "mae": _rounded(sum(map(abs, errors)) / len(errors)), "bias": _rounded(sum(errors) / len(errors)),
            "rmse": _rounded(math.sqrt(sum(each * each for each in errors) / len(errors))),
            "interval_coverage": _rounded(sum(inside) / len(inside)) if inside else None,
        }  # fmt: skip
    if not pairs:
        return None
    right = [str(answer.get("value")) == str(actual) for answer, actual in pairs]
    return {"count": len(right), "enough": len(right) >= FEWEST_SETTLED, "accuracy": _rounded(sum(right) / len(right))}


def _usage(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "calls": counts["calls"], "errors": counts["errors"], "rows_sampled": counts["rows"],
        "out_of_range_share": _share(counts),
        **{f"p{percent}_ms": percentile(counts["buckets"], percent) for percent in (50, 95, 99)},
        "sources": [
            {"source": source, "calls": each["calls"], "errors": each["errors"], "rows_sampled": each["rows"],
             "out_of_range_share": _share(each)}
            for source, each in sorted(counts["sources"].items())
        ],
    }  # fmt: skip


def _share(counts: Mapping[str, Any]) -> float | None:
    return _rounded(counts["outside"] / counts["rows"]) if counts["rows"] else None


def percentile(buckets: Sequence[int], percent: int) -> float | None:
    """The upper end of the class in which the percentile lies; None without calls or beyond the last class."""
    wanted, passed = sum(buckets) * percent / 100, 0
    for bound, count in zip(BUCKETS_MS, buckets, strict=False):
        passed += count
        if wanted and passed >= wanted:
            return float(bound)
    return None


def _signed(compared: Mapping[str, Any], of_stable: bool) -> dict[str, Any]:
    """Candidate minus stable, whichever of the two answered the caller."""
    return {**compared, "sum": compared["sum"] if of_stable else -compared["sum"]}


def _differences(told: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    rows = sum(each["rows"] for each in told)
    if not rows:
        return None
    return {
        "rows": rows,
        "mean": _rounded(sum(each["sum"] for each in told) / rows),
        "mean_absolute": _rounded(sum(each["absolute"] for each in told) / rows),
        "largest": _rounded(max(each["largest"] for each in told)),
        "disagreed_share": _rounded(sum(each["disagreed"] for each in told) / rows),
    }


def _watched_row(scoped: Scoped, principal: Principal, name: str) -> Component:
    """Whose use it is: its provider's, its owner's, the operator's. The public sees the card, not the traffic."""
    row = (
        scoped.session.get(Component, name) if principal.role in ("admin", "reviewer") and "\x00" not in name else None
    )
    row = row or scoped.get(Component, name, KIND)
    if principal.role in ("admin", "reviewer"):
        return row
    if principal.owner is None or principal.owner not in (row.organisation, row.content.get("provider")):
        raise Forbidden(needed="own component / 自己的组件")
    return row


def _said_lately(session: Session, key: str, event: str) -> bool:
    table = TABLES.audit
    statement = table.select().where(
        table.c.row_id == key, table.c.action == event, table.c.at > utc_now() - ALARM_EVERY
    )
    return session.execute(statement.limit(1)).first() is not None


def _content(release: Release | None) -> Mapping[str, Any]:
    return {} if release is None else release.content


def _number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (int, float))


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
