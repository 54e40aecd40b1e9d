"""From draft to retired: who may move a component, what its callers meet, and how a candidate is tried."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.models.errors import Quarantined
from services.models.inference.frames import INFER, METADATA, PREDICT, READY, Ask
from services.models.inference.standing import PUBLISHED, QUARANTINED, STAGES, Standing, Standings, admitted
from services.models.logic.keeping import Keeper
from services.models.logic.lifecycle import NEXT
from services.models.store.components import Component
from services.models.store.schema import TABLES
from tests.services.callers import ADMIN, FIRM, NOBODY, Callers
from tests.services.models import published
from tests.services.models.published import NAME, PROVIDER, REVIEWER, RIVAL, asked, move, point, publish, release

PATH = f"/api/v1/components/{NAME}"
SOON = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)


@pytest.fixture(autouse=True)
def _nobody_else_works(app: Any) -> None:
    from tests.services.models.own_data import nobody_else_works

    nobody_else_works(app)


def predict(callers: Callers, who: Any = FIRM, **headers: str) -> Any:
    return callers.post(f"{PATH}/predict", asked(1, 1), who, headers=headers)


def test_a_providers_component_is_its_own_draft_until_a_reviewer_publishes_it(app: Any, callers: Callers) -> None:
    publish(app, callers, release(), who=PROVIDER)
    assert callers.get(PATH, PROVIDER).get_json()["stage"] == "draft"
    assert predict(callers, PROVIDER).get_json()["predictions"][0]["value"] == 5
    for outsider in (FIRM, NOBODY, RIVAL):
        assert callers.get(PATH, outsider).status_code == 404
        assert predict(callers, outsider).status_code == 404
        assert move(callers, "published", outsider).status_code == 404
    assert move(callers, "published", PROVIDER).status_code == 403
    assert move(callers, "published", REVIEWER).get_json()["stage"] == "published"
    assert predict(callers, FIRM).get_json()["predictions"][0]["value"] == 5
    assert callers.get(PATH).status_code == 200
    app.extensions["zhigai"].parts["relay"].drain_all()
    assert NAME in app.extensions["zhigai"].parts["index"].versions()


def test_what_everybodys_calls_are_answered_by_is_not_decided_by_the_provider(app: Any, callers: Callers) -> None:
    publish(app, callers, release(), release("1.1.0", (4.0, 5.0)), who=PROVIDER)
    assert point(callers, "stable", "1.1.0", PROVIDER).status_code == 200, "of a draft it is"
    assert move(callers, "published", REVIEWER).status_code == 200
    assert point(callers, "candidate", "1.0.0", PROVIDER).status_code == 200
    assert point(callers, "stable", "1.0.0", PROVIDER).status_code == 403
    assert callers.post(f"{PATH}/traffic", {"candidate_percent": 50}, PROVIDER).status_code == 403
    assert callers.post(f"{PATH}/releases", release("2.0.0"), RIVAL).status_code == 403
    assert point(callers, "stable", "1.0.0", REVIEWER).status_code == 200


def test_a_deprecated_component_says_until_when_it_answers(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    assert move(callers, "deprecated").status_code == 422, "the date of its end is missing"
    assert move(callers, "deprecated", sunset="2020-01-01T00:00:00Z").status_code == 422
    assert move(callers, "deprecated", sunset=SOON.isoformat(), replaced_by="nothing-like-it").status_code == 422
    moved = move(callers, "deprecated", sunset=SOON.isoformat(), replaced_by="steel-energy")
    assert moved.get_json()["stage"] == "deprecated"
    answer = predict(callers)
    assert answer.status_code == 200
    assert answer.headers["Sunset"] == SOON.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert abs(int(answer.headers["Deprecation"].removeprefix("@")) - datetime.now(UTC).timestamp()) < 600
    assert "steel-energy" in answer.headers["Link"]
    assert NAME in [each["name"] for each in callers.get("/api/v1/components?size=100").get_json()["items"]]


def test_a_quarantined_component_answers_503_and_comes_back(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    assert move(callers, "quarantined", PROVIDER).status_code == 403
    assert move(callers, "quarantined", REVIEWER).status_code == 200
    refused = predict(callers)
    assert (refused.status_code, refused.get_json()["type"]) == (503, "/problems/component-quarantined")
    assert "测试" in refused.get_json()["detail"]
    batch = callers.post(f"{PATH}/batch", {"instances": asked(1, 1)["instances"]})
    assert batch.status_code == 503
    assert callers.get(PATH).get_json()["stage"] == "quarantined", "its page says so"
    assert move(callers, "published").status_code == 200
    assert predict(callers).status_code == 200


def test_a_retired_component_answers_410_for_ever(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    assert move(callers, "retired", replaced_by="steel-energy").status_code == 200
    refused = predict(callers)
    assert (refused.status_code, refused.get_json()["type"]) == (410, "/problems/component-retired")
    assert "steel-energy" in refused.get_json()["detail"]
    assert callers.post(f"{PATH}/batch", {"instances": asked(1, 1)["instances"]}).status_code == 410
    assert move(callers, "published").status_code == 409
    app.extensions["zhigai"].parts["relay"].drain_all()
    assert NAME not in app.extensions["zhigai"].parts["index"].versions()


def test_a_shipped_component_has_stages_too(callers: Callers) -> None:
    path = "/api/v1/components/bolt-preload"
    assert callers.post(f"{path}/stage", {"stage": "quarantined", "reason": "x"}, ADMIN).status_code == 200
    assert callers.post(f"{path}/predict", {"instances": [{}]}).status_code == 503


def test_every_move_is_in_the_audit_with_its_reason(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    move(callers, "deprecated", sunset=SOON.isoformat())
    move(callers, "retired")
    with app.extensions["zhigai"].parts["database"].read() as session:
        table = TABLES.audit
        rows = session.execute(table.select().where(table.c.action == "stage").order_by(table.c.seq)).mappings().all()
    assert [(row["facts"]["from"], row["facts"]["to"]) for row in rows] == [
        ("published", "deprecated"), ("deprecated", "retired"),
    ]  # fmt: skip
    assert {row["facts"]["reason"] for row in rows} == {"测试 / test"}
    assert {row["by"] for row in rows} == {"k-admin"}


def test_no_stage_leads_back_to_draft_or_out_of_retired() -> None:
    assert set(NEXT) == set(STAGES)
    assert NEXT["retired"] == ()
    assert all("draft" not in each for each in NEXT.values())


def test_the_candidate_takes_its_share_by_request_id_and_is_compared(app: Any, callers: Callers) -> None:
    publish(app, callers, release(), release("1.1.0", (2.5, 3.0)))
    assert callers.post(f"{PATH}/traffic", {"candidate_percent": 30}, ADMIN).status_code == 404
    assert point(callers, "candidate", "1.1.0").status_code == 200
    assert {predict(callers).get_json()["release"] for _ in range(5)} == {"1.0.0"}
    assert callers.post(f"{PATH}/traffic", {"candidate_percent": 30}, ADMIN).status_code == 200
    first = [_release_of(callers, f"request-{number}") for number in range(200)]
    assert first == [_release_of(callers, f"request-{number}") for number in range(200)], (
        "the same id, the same release"
    )
    assert 30 <= first.count("1.1.0") <= 90, "30 % of 200 within four standard deviations"
    named = [callers.post(f"{PATH}/predict", asked(1, 1, release="stable")).get_json() for _ in range(20)]
    assert {each["release"] for each in named} == {"1.0.0"}, "who names a release gets it"
    app.extensions["zhigai"].parts["keeper"].collect()
    found = callers.get(f"{PATH}/comparison", ADMIN).get_json()
    assert (found["stable"], found["candidate"], found["candidate_percent"]) == ("1.0.0", "1.1.0", 30)
    calls = {each["release"]: each["calls"] for each in found["releases"]}
    assert calls == {"1.0.0": 2 * first.count("1.0.0") + 25, "1.1.0": 2 * first.count("1.1.0")}
    assert {each["errors"] for each in found["releases"]} == {0}
    assert all(each["p95_ms"] is not None for each in found["releases"])
    apart = found["differences"]
    assert apart["rows"] > 0
    # 2.5 and 2 times a thickness of one: half an hour, whichever of the two answered.
    assert (apart["mean"], apart["mean_absolute"], apart["largest"]) == (0.5, 0.5, 0.5)
    for outsider in (FIRM, NOBODY, RIVAL):
        assert callers.get(f"{PATH}/comparison", outsider).status_code == 403


def _release_of(callers: Callers, request_id: str) -> str:
    found: str = predict(callers, **{"X-Request-Id": request_id}).get_json()["release"]
    return found


def test_a_release_whose_stored_answers_do_not_come_back_is_not_served(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    home = app.extensions["zhigai"].settings.home
    folder = home / "components" / NAME / "releases" / "1.0.0"
    (folder / "model.onnx").write_bytes(published.tiny_components.linear((2.0, 3.5), 0.0))
    refused = predict(callers)
    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/model-failed")
    assert "e0" in refused.get_json()["detail"]


def test_examples_named_twice_or_too_few_are_refused(app: Any, callers: Callers) -> None:
    assert callers.post("/api/v1/components", published.ABOUT, ADMIN).status_code == 201
    body = release()
    two = {**body, "examples": body["examples"][:2]}
    assert callers.post(f"{PATH}/releases", two, ADMIN).status_code == 422
    same = {**body, "examples": [{**each, "name": "same"} for each in body["examples"]]}
    job = published.send(app, callers, same)
    assert (job["state"], "named twice" in job["problem"]["detail"]) == ("failed", True)


def test_another_process_sees_a_move_at_its_next_look(app: Any, callers: Callers, tmp_path: Path) -> None:
    publish(app, callers, release())
    parts = app.extensions["zhigai"].parts
    standings = Standings(tmp_path / "standings.json")
    other = Keeper(parts["database"], parts["blobs"], parts["jobs"], tmp_path, standings, parts["runner"])
    assert other.look()
    assert standings.of(NAME) is None
    assert not other.look()
    move(callers, "quarantined")
    assert other.look()
    found = standings.of(NAME)
    assert found is not None and found.stage == QUARANTINED
    again = Standings(tmp_path / "standings.json").of(NAME)
    assert again == found, "a process that starts while the database is away knows it still"


def test_a_component_that_crashed_its_runner_is_quarantined_in_the_rows(app: Any, callers: Callers) -> None:
    publish(app, callers, release())
    keeper: Keeper = app.extensions["zhigai"].parts["keeper"]
    keeper.stop_component(NAME, "crashed")
    keeper.quarantine_now()
    keeper.look()
    with app.extensions["zhigai"].parts["database"].read() as session:
        assert session.get_one(Component, NAME).stage == "quarantined"
    assert predict(callers).status_code == 503


def test_a_private_component_tells_its_stage_to_its_owner_alone() -> None:
    standing = Standing(stage=QUARANTINED, organisation="org-wang", reason="x")
    for kind in (INFER, PREDICT, READY):
        assert admitted(standing, Ask(1, kind, "m", organisation="org-li")) == {}
        with pytest.raises(Quarantined):
            admitted(standing, Ask(1, kind, "m", organisation="org-wang"))
    assert admitted(standing, Ask(1, METADATA, "m", organisation="org-wang")) == {}


def test_a_call_that_names_a_release_is_never_moved_to_the_candidate() -> None:
    standing = Standing(stage=PUBLISHED, candidate="2.0.0", candidate_percent=100)
    named, unnamed = Ask(1, INFER, "m", "1.0.0", "r"), Ask(1, INFER, "m", "", "r")
    admitted(standing, named)
    admitted(standing, unnamed)
    assert (named.release, unnamed.release) == ("1.0.0", "2.0.0")


def test_the_kept_file_holds_no_more_than_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "standings.json"
    Standings(path).take({"m": Standing(stage="retired", reason="x", sunset=SOON)})
    assert json.loads(path.read_text())["m"]["stage"] == "retired"
    assert Standings(path).of("m") == Standing(stage="retired", reason="x", sunset=SOON)
    path.write_text("{")
    assert Standings(path).of("m") is None
