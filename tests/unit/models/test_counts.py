"""What is counted of calls: the same bins wherever they are counted, and sums over rows of every age."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.models.inference.counts import MOST_ROWS
from services.models.inference.endpoint_counts import EndpointCounts
from services.models.inference.endpoints import FAILURES, Endpoints
from services.models.inference.observed import Observed, count
from services.models.inference.release import LoadedRelease, open_release
from services.models.inference.seen import Seen
from services.models.logic import observations
from services.models.store.observations import Observation
from shared.errors import Refused
from tests.services.models.published import FEATURES
from tests.services.models.test_endpoints import HOSTILE, Service, ask, component


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


def test_the_serving_process_counts_the_very_bins_that_the_runner_counts(tmp_path: Path) -> None:
    """Also of values on an edge, which single precision moves."""
    component(tmp_path, "http://127.0.0.1:1/", ["127.0.0.1"])
    about = open_release([tmp_path], "theirs")
    values = np.round(np.random.default_rng(3).uniform(0, 1, (MOST_ROWS, 2)), 1)
    edges = [float(np.float32(each)) for each in (0.1, 0.2, 0.3, 0.6, 0.7)]
    spread = {"edges": edges, "shares": [1 / 6] * 6}
    reference = {"rows": 10, "features": dict.fromkeys(FEATURES, spread), "prediction": spread}
    (about.folder / "reference.json").write_text(json.dumps(reference))
    answers = values.sum(axis=1)
    of_runner = Observed(LoadedRelease(about))
    count(of_runner, [Seen(values.astype(np.float32), answers)])
    here = EndpointCounts()
    here.called(about, 0.001, failed=False)
    rows = [dict(zip(FEATURES, map(float, row), strict=True)) for row in values]
    here.answered(about, rows, [{"value": float(each), "in_range": True} for each in answers])
    (counted,) = here.taken()["observed"]
    for name in ("rows", "outside", "features", "prediction"):
        assert counted["counts"][name] == of_runner.as_json()["counts"][name], name
    assert here.taken()["observed"] == []


def test_a_call_of_a_service_that_rests_is_an_error(tmp_path: Path, service: Service) -> None:
    component(tmp_path, service.url, ["127.0.0.1"])
    endpoints = Endpoints([tmp_path], loopback=True)
    service.behave = HOSTILE["500"]
    for _ in range(FAILURES + 2):
        with pytest.raises(Refused):
            endpoints.call(ask())
    assert service.asked == FAILURES
    (counted,) = endpoints.taken()["observed"]
    assert (counted["counts"]["calls"], counted["counts"]["errors"]) == (FAILURES + 2, FAILURES + 2)
    endpoints.close()


def test_counts_of_before_sources_were_told_are_those_of_runners() -> None:
    sums = {"calls": 4, "errors": 1, "rows": 9, "outside": 2}
    counts = {**sums, "buckets": [4], "features": {}, "prediction": [], "compared": {}}
    old = Observation(release="1.0.0", counts=counts)
    newer = Observation(release="1.0.0", counts=observations.of_source(counts, observations.FILE))
    assert observations.sums([old])["1.0.0"]["sources"] == {"online": sums}
    both = observations.sums([old, newer])["1.0.0"]
    assert (both["calls"], both["sources"]) == (8, {"online": sums, "file": sums})
