"""What a job row promises, on both databases, with the clock in the test's hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.database import Database, utc_now
from shared.errors import BadInput, Busy, Conflict, IdempotencyMismatch, NotFound
from shared.http.service_app import new_service_app, register
from shared.identity import PRINCIPAL_HEADER, Principal, sign
from shared.jobs import Cancelled, Done, Failed, JobRun, Jobs, LeaseLost, Retry, turn
from shared.jobs.api import accepted, jobs_blueprint
from shared.jobs.store import MAX_LOST_LEASES, RING_AGAIN
from shared.settings import Settings
from tests.contract import sample
from tests.contract.sample import TABLES, Effect

OURS = Principal(organisation="org-a", key_id="k1", role="sme")
THEIRS = Principal(organisation="org-b", key_id="k2", role="sme")
ADMIN = Principal(organisation="org-z", key_id="k3", role="admin", scopes=frozenset({"*"}))
LEASE_S = 60.0
LATER = timedelta(seconds=LEASE_S + 1)


class HeardBell:
    """Remembers what was rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, job_id: str) -> None:
        self.rung.append(job_id)

    def close(self) -> None:
        return


@pytest.fixture
def bell() -> HeardBell:
    return HeardBell()


@pytest.fixture
def jobs(database: Database, bell: HeardBell) -> Jobs:
    return Jobs(database, TABLES, bell, sample.SERVICE)


def effects(jobs: Jobs) -> int:
    with jobs.database.read() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(Effect)).scalar_one())


def write_effect(run: JobRun) -> Any:
    with run.finish({"written": 1}) as session:
        session.add(Effect(job_id=run.job.id))


def test_a_job_is_done_and_its_result_read_by_its_owner(jobs: Jobs, bell: HeardBell) -> None:
    job = jobs.submit("double", {"数": 21}, OURS)
    assert (job.state, bell.rung) == ("queued", [job.id])
    assert turn(jobs, {"double": lambda run: run.args["数"] * 2}) == Done(42)
    done = jobs.get(job.id, OURS)
    assert (done.state, done.result, done.progress, done.attempt) == ("done", 42, 1.0, 1)
    assert done.finished_at is not None
    assert turn(jobs, {}) is None


def test_a_job_is_shown_to_its_owner_and_the_administrator_only(jobs: Jobs) -> None:
    job, own = jobs.submit("k", {}, OURS), jobs.submit("k", {}, Principal(role="admin", key_id="system"))
    assert jobs.get(job.id, ADMIN).id == job.id
    for stranger, job_id in ((THEIRS, job.id), (Principal(), job.id), (Principal(), own.id), (OURS, own.id)):
        with pytest.raises(NotFound):
            jobs.get(job_id, stranger)
        with pytest.raises(NotFound):
            jobs.cancel(job_id, stranger)


def test_submitting_twice_under_one_key_is_one_job(jobs: Jobs, bell: HeardBell) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = {job.id for job in pool.map(lambda _: jobs.submit("k", {"a": 1}, OURS, "key"), range(24))}
    assert len(ids) == 1
    assert bell.rung == list(ids)
    assert jobs.submit("k", {"a": 1}, THEIRS, "key").id not in ids
    with pytest.raises(IdempotencyMismatch):
        jobs.submit("k", {"a": 2}, OURS, "key")


def test_the_platforms_own_jobs_have_keys_too(jobs: Jobs) -> None:
    system = Principal(role="admin", key_id="system")
    assert jobs.submit("k", {}, system, "nightly").id == jobs.submit("k", {}, system, "nightly").id


def test_a_job_submitted_in_a_transaction_that_fails_was_never_submitted(
    jobs: Jobs, database: Database, bell: HeardBell
) -> None:
    with pytest.raises(ZeroDivisionError), database.together():
        jobs.submit("k", {}, OURS)
        raise ZeroDivisionError
    assert (jobs.open_count(), bell.rung) == (0, [])
    with database.together():
        job = jobs.submit("k", {}, OURS)
        assert bell.rung == []
    assert bell.rung == [job.id]


def test_many_workers_share_the_jobs_and_none_is_claimed_twice(
    jobs: Jobs, open_database: Callable[[], Database]
) -> None:
    expected = {jobs.submit("k", {}, OURS).id for _ in range(40)}
    others = [Jobs(open_database(), TABLES, HeardBell(), sample.SERVICE) for _ in range(4)]

    def work(each: Jobs) -> list[str]:
        found = []
        while (claim := each.claim(utc_now(), LEASE_S)) is not None:
            found.append(claim.job.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        claimed = [job_id for found in pool.map(work, others) for job_id in found]
    # A worker that finds every due row locked may stop early; whatever is left is claimed now.
    claimed += work(jobs)
    assert len(claimed) == 40
    assert set(claimed) == expected


def test_the_job_that_has_been_due_longest_is_first(jobs: Jobs) -> None:
    ids = [jobs.submit("k", {}, OURS).id for _ in range(3)]
    now = utc_now()
    assert [claim.job.id for _ in range(3) if (claim := jobs.claim(now, LEASE_S))] == ids


def test_a_lease_that_ran_out_puts_the_job_back_and_the_late_worker_changes_nothing(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    now = utc_now()
    late = jobs.claim(now, LEASE_S)
    assert late is not None
    assert jobs.reap(now) == 0
    assert jobs.reap(now + LATER) == 1
    second = jobs.claim(now + LATER, LEASE_S)
    assert second is not None
    assert (second.job.id, second.attempt) == (job.id, 2)
    assert not jobs.extend(late, now + LATER, LEASE_S, 0.9, "")
    assert not jobs.settle(late, Done("late"), now + LATER)
    assert jobs.settle(second, Done("second"), now + LATER)
    assert jobs.get(job.id, OURS).result == "second"
    assert not jobs.settle(late, Failed(), now + LATER)


def test_the_effect_of_a_late_worker_is_undone(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)

    def overtaken(run: JobRun) -> Any:
        jobs.reap(utc_now() + LATER)
        assert turn(jobs, {"k": write_effect}, utc_now() + LATER) == Done({"written": 1})
        with run.finish() as session:
            session.add(Effect(job_id=run.job.id))

    turn(jobs, {"k": overtaken})
    assert effects(jobs) == 1
    assert jobs.get(job.id, OURS).state == "done"


def test_finish_says_that_the_lease_was_lost(jobs: Jobs, database: Database) -> None:
    jobs.submit("k", {}, OURS)
    claim = jobs.claim(utc_now(), LEASE_S)
    assert claim is not None
    jobs.reap(utc_now() + LATER)
    with pytest.raises(LeaseLost), database.write() as session:
        session.add(Effect(job_id=claim.job.id))
        jobs.finish(session, claim, None, utc_now())
    assert effects(jobs) == 0


def test_a_job_whose_worker_is_lost_three_times_is_dead_with_the_reason(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    now = utc_now()
    for _ in range(MAX_LOST_LEASES):
        assert jobs.claim(now, LEASE_S) is not None
        now += LATER
        assert jobs.reap(now) == 1
    dead = jobs.get(job.id, OURS)
    assert dead.state == "dead"
    assert jobs.claim(now, LEASE_S) is None
    assert "中断" in dead.as_json("zh")["problem"]["title"]
    assert "abandoned" in dead.as_json("en")["problem"]["title"]


def test_work_that_goes_on_keeps_its_lease(jobs: Jobs) -> None:
    jobs.submit("k", {}, OURS)
    now = utc_now()
    claim = jobs.claim(now, LEASE_S)
    assert claim is not None
    for _ in range(5):
        now += timedelta(seconds=LEASE_S - 1)
        assert jobs.extend(claim, now, LEASE_S, 0.5, "半程")
        assert jobs.reap(now) == 0
    assert (jobs.get(claim.job.id, OURS).progress, jobs.get(claim.job.id, OURS).message) == (0.5, "半程")


def test_a_handler_that_says_nothing_keeps_its_lease(jobs: Jobs) -> None:
    jobs.submit("k", {}, OURS)
    lease_s, extended = 0.3, threading.Event()
    first: list[Any] = []

    def silent(run: JobRun) -> str:
        original = run.extend

        def seen() -> bool:
            alive = original()
            first.append(alive)
            if len(first) >= 5:
                extended.set()
            return alive

        run.extend = seen  # type: ignore[method-assign]
        assert extended.wait(20)
        return "done"

    assert turn(jobs, {"k": silent}, lease_s=lease_s) == Done("done")
    assert all(first)


def test_a_waiting_job_is_cancelled_at_once(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    assert jobs.cancel(job.id, OURS).state == "cancelled"
    assert jobs.cancel(job.id, OURS).state == "cancelled"
    assert turn(jobs, {"k": write_effect}) is None


def test_a_running_job_is_cancelled_at_its_next_sign_of_progress(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    after: list[str] = []

    def handler(run: JobRun) -> Any:
        assert jobs.cancel(job.id, OURS).state == "running"
        run.progress(0.5, "half")
        after.append("went on")

    assert turn(jobs, {"k": handler}) == Cancelled()
    assert (jobs.get(job.id, OURS).state, after) == ("cancelled", [])


def test_a_cancelled_job_whose_worker_died_is_not_tried_again(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    assert jobs.claim(utc_now(), LEASE_S) is not None
    jobs.cancel(job.id, OURS)
    assert jobs.reap(utc_now() + LATER) == 1
    assert jobs.get(job.id, OURS).state == "cancelled"


def test_a_finished_job_cannot_be_cancelled(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    turn(jobs, {"k": lambda run: None})
    with pytest.raises(Conflict):
        jobs.cancel(job.id, OURS)


def test_a_refusal_is_the_jobs_problem_in_both_languages(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)

    def refuse(run: JobRun) -> Any:
        raise BadInput(errors={"rows.3.温度": ["不是数"]})

    assert isinstance(turn(jobs, {"k": refuse}), Failed)
    failed = jobs.get(job.id, OURS)
    assert failed.state == "failed"
    assert failed.as_json("en")["problem"]["errors"] == {"rows.3.温度": ["不是数"]}
    assert failed.as_json("zh")["problem"]["title"] != failed.as_json("en")["problem"]["title"]


def test_an_unforeseen_error_fails_the_job_and_tells_none_of_its_text(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)

    def broken(run: JobRun) -> Any:
        raise RuntimeError("the password is hunter2")

    turn(jobs, {"k": broken})
    shown = str(jobs.get(job.id, OURS).as_json("en"))
    assert "hunter2" not in shown
    assert job.id in shown


def test_a_job_of_an_unknown_kind_fails_and_does_not_stop_the_rest(jobs: Jobs) -> None:
    job = jobs.submit("nobody", {}, OURS)
    jobs.submit("k", {}, OURS)
    assert isinstance(turn(jobs, {"k": lambda run: 1}), Failed)
    assert turn(jobs, {"k": lambda run: 1}) == Done(1)
    assert jobs.get(job.id, OURS).state == "failed"


def test_what_may_pass_is_tried_again_later_and_then_fails(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)

    def busy(run: JobRun) -> Any:
        raise Busy(what="engine")

    now, waits = utc_now(), []
    while isinstance(outcome := turn(jobs, {"k": busy}, now), Retry):
        assert turn(jobs, {"k": busy}, now) is None
        waits.append(outcome.at)
        now = outcome.at + timedelta(seconds=1)
    assert isinstance(outcome, Failed)
    assert len(waits) == 7
    assert jobs.get(job.id, OURS).state == "failed"


def test_a_worker_that_ends_hands_its_job_back_at_once(jobs: Jobs) -> None:
    job = jobs.submit("k", {}, OURS)
    outcome = turn(jobs, {"k": lambda run: run.progress(0.5)}, stopping=lambda: True)
    assert isinstance(outcome, Retry)
    assert jobs.get(job.id, OURS).state == "queued"
    assert turn(jobs, {"k": lambda run: "again"}) == Done("again")


def test_a_bell_that_was_lost_is_rung_again(jobs: Jobs, bell: HeardBell) -> None:
    job = jobs.submit("k", {}, OURS)
    bell.rung.clear()
    assert jobs.ring_again(utc_now()) == 0
    assert jobs.ring_again(utc_now() + RING_AGAIN * 2) == 1
    assert bell.rung == [job.id]
    assert jobs.claim(utc_now(), LEASE_S) is not None
    assert jobs.ring_again(utc_now() + RING_AGAIN * 9) == 0
    jobs.reap(utc_now() + LATER)
    assert jobs.ring_again(utc_now() + LATER) == 1


def test_the_http_door_shows_and_cancels_the_callers_jobs(store_settings: Settings, jobs: Jobs) -> None:
    app = new_service_app(sample.SERVICE, store_settings)
    app.extensions["zhigai"].parts["jobs"] = jobs
    register(app, jobs_blueprint())

    @app.post("/work")
    def work() -> Any:
        return accepted(jobs.submit("k", {}, OURS))

    client = app.test_client()
    ours = {PRINCIPAL_HEADER: sign(OURS, store_settings.secret), "Accept-Language": "en"}
    made = client.post("/work", headers=ours)
    assert made.status_code == 202
    place = made.headers["Location"]
    assert place == f"/api/v1/jobs/{made.get_json()['id']}"
    assert client.get(place, headers=ours).get_json()["state"] == "queued"
    theirs = {PRINCIPAL_HEADER: sign(THEIRS, store_settings.secret)}
    assert client.get(place, headers=theirs).status_code == 404
    assert client.delete(place, headers=theirs).status_code == 404
    assert client.delete(place, headers=ours).get_json()["state"] == "cancelled"
