"""What a provider sees of its component's use: drift against training, accuracy by what really came, and being told."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest

from services.models.inference.reference import reference_of
from services.models.jobs import handlers
from services.models.logic import alerts, monitoring
from services.models.logic.drift import drift, kolmogorov_p
from services.models.store.webhooks import Delivery, Webhook
from shared.database import utc_now
from shared.identity import SYSTEM, Principal
from tests.services.callers import ADMIN, FIRM, NOBODY, OTHER, Callers
from tests.services.models import published
from tests.services.models.provider_service import (  # noqa: F401 - fixtures are found by their names
    jobs_only_by_hand,
    settings_with_loopback,
)
from tests.services.models.published import FEATURES, NAME, PROVIDER, RIVAL, asked, move, publish, release

PATH = f"/api/v1/components/{NAME}"


def trained() -> dict[str, Any]:
    """Both features were even from 0 to 100."""
    rows = np.random.default_rng(5).uniform(0, 100, (2000, 2))
    return reference_of(rows, FEATURES, rows @ np.array([2.0, 3.0]))


def call(callers: Callers, rows: list[tuple[float, float]], who: Principal = FIRM, **more: Any) -> Any:
    instances = [{"thickness": thickness, "width": width} for thickness, width in rows]
    return callers.post(f"{PATH}/predict", {"instances": instances, **more}, who).get_json()


def even(count: int, low: float = 0.0, high: float = 100.0) -> list[tuple[float, float]]:
    chance = random.Random(7)
    return [(chance.uniform(low, high), chance.uniform(0, 100)) for _ in range(count)]


def test_inputs_like_training_are_stable_and_others_are_said_to_have_moved(app: Any, callers: Callers) -> None:
    publish(app, callers, release(reference=trained()), who=PROVIDER)
    move(callers, "published")
    for place in range(10):
        call(callers, even(400)[place * 40 : place * 40 + 40])
    found = callers.get(f"{PATH}/monitoring", PROVIDER).get_json()["releases"][0]
    assert (found["release"], found["calls"], found["has_reference"]) == ("1.0.0", 10, True)
    assert {each["feature"]: each["verdict"] for each in found["drift"]} == {"thickness": "stable", "width": "stable"}
    for place in range(10):
        call(callers, even(400, 70, 100)[place * 40 : place * 40 + 40])
    found = callers.get(f"{PATH}/monitoring", PROVIDER).get_json()["releases"][0]
    verdicts = {each["feature"]: each["verdict"] for each in found["drift"]}
    assert (verdicts["thickness"], verdicts["width"]) == ("moved", "stable")
    moved = next(each for each in found["drift"] if each["feature"] == "thickness")
    assert moved["psi"] > 0.25
    assert moved["p"] < 0.001
    assert monitoring.raise_alarms(app.extensions["zhigai"].parts["database"]) == 1
    assert monitoring.raise_alarms(app.extensions["zhigai"].parts["database"]) == 0, "once a day is enough"


def test_only_the_provider_sees_the_traffic(app: Any, callers: Callers) -> None:
    publish(app, callers, release(), who=PROVIDER)
    move(callers, "published")
    assert callers.get(f"{PATH}/monitoring", PROVIDER).status_code == 200
    for outsider in (FIRM, NOBODY, RIVAL):
        assert callers.get(f"{PATH}/monitoring", outsider).status_code == 403


def test_true_values_told_by_prediction_id_become_accuracy(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    assert "id" not in call(callers, [(1, 1)])["predictions"][0]
    # The model says 2a + 3b with a band of ten either way; what came was that plus 4, and once plus 40.
    rows = even(31)
    predictions = call(callers, rows, log=True)["predictions"]
    ids = [each["id"] for each in predictions]
    assert len(set(ids)) == 31
    off = [4.0] * 30 + [40.0]
    actuals = [
        {"id": each["id"], "actual": each["value"] + more} for each, more in zip(predictions, off, strict=True)
    ]  # fmt: skip
    foreign = callers.post(f"{PATH}/actuals", {"actuals": actuals}, OTHER).get_json()
    assert (foreign["accepted"], foreign["unknown"]) == (0, ids), "only who asked may tell"
    told = callers.post(f"{PATH}/actuals", {"actuals": [*actuals, {"id": "prd-" + "0" * 24, "actual": 1}]}).get_json()
    assert (told["accepted"], told["unknown"]) == (31, ["prd-" + "0" * 24])
    found = callers.get(f"{PATH}/monitoring", ADMIN).get_json()["releases"][0]["accuracy"]
    assert (found["count"], found["enough"]) == (31, True)
    assert found["mae"] == pytest.approx((30 * 4 + 40) / 31, rel=1e-4)
    assert found["bias"] == pytest.approx(-(30 * 4 + 40) / 31, rel=1e-4)
    assert found["interval_coverage"] == pytest.approx(30 / 31, rel=1e-4)
    # The release states a mean absolute error of 1.
    assert monitoring.raise_alarms(app.extensions["zhigai"].parts["database"]) == 1
    assert monitoring.raise_alarms(app.extensions["zhigai"].parts["database"]) == 0


def test_calls_that_fail_and_rows_out_of_range_are_counted(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    call(callers, [(1, 1), (500, 1)])
    callers.post(f"{PATH}/predict", asked(1, 1, nonsense=1))
    found = callers.get(f"{PATH}/monitoring", ADMIN).get_json()["releases"][0]
    assert (found["calls"], found["errors"], found["rows_sampled"]) == (2, 0, 2), (
        "a caller's mistake is no error of ours"
    )
    assert found["out_of_range_share"] == 0.5


def test_the_index_and_the_test_against_worked_values() -> None:
    # PSI by hand: (0.4-0.5)ln(0.4/0.5) + (0.6-0.5)ln(0.6/0.5) = 0.02231 + 0.01823.
    found = drift([0.5, 0.5], [400, 600], 1000)
    assert found.psi == pytest.approx(0.0405, abs=1e-4)
    assert found.statistic == pytest.approx(0.1, abs=1e-9)
    # Kolmogorov's distribution: Q(1.36) = 0.0491 (the usual 5 % point), Q(1.63) = 0.0100.
    for scaled, p in ((1.3581, 0.05), (1.6276, 0.01)):
        root = math.sqrt(1e8 / 2)
        assert kolmogorov_p(scaled / root, 10**8, 10**8) == pytest.approx(p, abs=2e-4)
    assert drift([0.5, 0.5], [10, 90], 1000).verdict == "few"
    assert drift([0.5, 0.5], [], 1000).verdict == "few"


def test_chance_alone_seldom_passes_for_drift() -> None:
    """Of 300 samples from the very distribution of training none is called moved, and hardly one is watched."""
    rows = np.random.default_rng(1).normal(size=(1000, 1))
    told = reference_of(rows, ("x",))["features"]["x"]
    chance = np.random.default_rng(2)
    verdicts = []
    for _ in range(300):
        counts = np.bincount(
            np.searchsorted(told["edges"], chance.normal(size=250)), minlength=len(told["shares"])
        ).tolist()  # fmt: skip
        verdicts.append(drift(told["shares"], counts, 1000).verdict)
    assert verdicts.count("moved") == 0
    assert verdicts.count("watch") <= 3


class Listener:
    """An address on this machine that takes posts and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[tuple[dict[str, str], bytes]]()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.append((dict(self.headers), body))
                self.send_response(listener.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def hooked(callers: Callers, who: Principal = PROVIDER, **more: Any) -> Iterator[tuple[Listener, str]]:
    with Listener() as listener:
        made = callers.post("/api/v1/webhooks", {"url": listener.url, **more}, who)
        assert made.status_code == 201, made.get_json()
        yield listener, made.get_json()["secret"]


def send_due(app: Any, later: timedelta = timedelta()) -> int:
    """What the keeper and the worker do; `later`: as if that much time had passed."""
    parts = app.extensions["zhigai"].parts
    if later:
        with parts["database"].write() as session:
            for hook in session.query(Webhook).all():
                hook.due_at = hook.due_at - later
    count = alerts.submit_due(parts["database"], parts["jobs"], SYSTEM, utc_now())
    published.work(app)
    return count


def waiting(app: Any) -> int:
    with app.extensions["zhigai"].parts["database"].read() as session:
        return int(session.query(Delivery).count())


def test_a_webhook_is_told_in_one_signed_post(app: Any, callers: Callers) -> None:
    with hooked(callers) as (listener, secret):
        publish(app, callers, release(), who=PROVIDER)
        move(callers, "published")
        assert send_due(app) == 1
        ((headers, body),) = listener.got
        events = json.loads(body)["events"]
        assert [each["event"] for each in events] == ["release_published", "stage"]
        assert {each["component"] for each in events} == {NAME}
        moment, given = (part.partition("=")[2] for part in headers[alerts.SIGNATURE_HEADER].split(","))
        wanted = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(given, wanted)
        assert waiting(app) == 0
        assert send_due(app) == 0, "nothing is sent twice"
        listed = callers.get("/api/v1/webhooks", PROVIDER).get_json()["items"]
        assert "secret" not in listed[0] and listed[0]["said"] == "ok"


def test_what_could_not_be_sent_waits_longer_each_time_and_is_not_lost(app: Any, callers: Callers) -> None:
    with hooked(callers) as (listener, _):
        publish(app, callers, release(), who=PROVIDER)
        listener.status = 500
        assert send_due(app) == 1
        assert (waiting(app), len(listener.got)) == (1, 1)
        assert send_due(app) == 0, "not at once again"
        assert send_due(app, timedelta(seconds=31)) == 1
        assert send_due(app, timedelta(seconds=31)) == 0, "the second pause is longer"
        listener.status = 204
        assert send_due(app, timedelta(seconds=31)) == 1
        assert waiting(app) == 0
        first, last = json.loads(listener.got[0][1])["events"], json.loads(listener.got[-1][1])["events"]
        assert first == last, "the same id, by which a receiver knows what it had"


def test_a_daily_digest_gathers_a_day(app: Any, callers: Callers) -> None:
    with hooked(callers, digest="daily") as (listener, _):
        publish(app, callers, release(), who=PROVIDER)
        assert send_due(app) == 1
        move(callers, "published")
        move(callers, "quarantined")
        assert send_due(app) == 0
        assert send_due(app, timedelta(days=1)) == 1
        assert [len(json.loads(body)["events"]) for _, body in listener.got] == [1, 2]


def test_an_organisation_is_told_of_its_own_components_only(app: Any, callers: Callers) -> None:
    with hooked(callers, RIVAL) as (rival, _), hooked(callers, ADMIN, everything=True) as (operator, _):
        publish(app, callers, release(), who=PROVIDER)
        send_due(app)
        assert (len(rival.got), len(operator.got)) == (0, 1)
    assert (
        callers.post("/api/v1/webhooks", {"url": "http://127.0.0.1:1/", "everything": True}, RIVAL).status_code == 403
    )
    mine = callers.get("/api/v1/webhooks", RIVAL).get_json()["items"]
    assert callers.call(PROVIDER, "DELETE", f"/api/v1/webhooks/{mine[0]['id']}").status_code == 404
    assert callers.call(RIVAL, "DELETE", f"/api/v1/webhooks/{mine[0]['id']}").status_code == 204
    assert callers.get("/api/v1/webhooks", RIVAL).get_json()["total"] == 0


def test_the_job_of_a_webhook_is_known_to_the_worker(app: Any) -> None:
    assert alerts.JOB in handlers(app.extensions["zhigai"])
