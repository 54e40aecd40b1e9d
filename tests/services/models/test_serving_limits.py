"""Many models from one runner, and one that is slow or popular beside the others."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.models.errors import ModelFailed
from services.models.inference.frames import INFER, Ask
from services.models.inference.lines import MOST_OF_A_SLOW_ONE, MOST_OF_ONE, SLOW_S, Lines
from services.models.inference.runner.lanes import Lanes
from services.models.inference.sessions import HELD_BYTES, Sessions
from shared.errors import Busy
from tests.contract.waiting import wait_until
from tests.services.models import tiny_components
from tests.services.models.model_server import ModelServer, serving, tensor, values

SMALL = 300
"""Models in the everyday test; `bench/serving.py` serves a thousand."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_components.make_all(tmp_path_factory.mktemp("components"))


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[ModelServer]:
    with serving(root) as made:
        yield made


def many(root: Path, count: int) -> None:
    """Models by number: `m7` answers power + 7."""
    for number in range(count):
        tiny_components.write(root, f"m{number}", tiny_components.linear((1.0, 0.0, 0.0), float(number)))


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_many_models_are_served_from_one_runner_within_its_memory_budget(tmp_path: Path) -> None:
    """The budget holds a tenth of them; those let go answer again at their next call."""
    many(tmp_path, SMALL)
    budget_mb = SMALL * HELD_BYTES / 1024**2 / 10
    with serving(tmp_path, memory_mb=round(2 * budget_mb)) as server:

        def ask(number: int) -> float:
            return float(values(server.infer(f"m{number}", tensor("input", [1, 3], [1, 0, 0])), "value")[0])

        assert ask(0) == 1.0
        pid, before = server.runner_pid, rss_mb(server.runner_pid)
        for _ in range(2):
            assert [ask(number) for number in range(SMALL)] == [1.0 + number for number in range(SMALL)]
        index = server.call("POST", "/v2/repository/index", {}).json()
        ready = {each["name"] for each in index if each["state"] == "READY"}
        assert len(index) == SMALL
        assert 0.5 * SMALL / 10 <= len(ready) <= SMALL / 10 + 1
        assert ready == {f"m{number}" for number in range(SMALL - len(ready), SMALL)}, "the least used are let go"
        assert server.runner_pid == pid
        assert rss_mb(pid) - before < 2 * budget_mb


def test_what_was_used_last_is_kept(tmp_path: Path) -> None:
    many(tmp_path, 4)
    sessions = Sessions([tmp_path], budget_mb=3.5 * HELD_BYTES / 1024**2)
    for name in ("m0", "m1", "m2", "m0", "m3"):
        assert sessions.known(name, "") or sessions.get(name)
    assert {name for name, _ in sessions.loaded()} == {"m0", "m2", "m3"}
    assert sessions.known("m1", "") is None
    assert sessions.get("m1").session is not None


def test_a_release_that_takes_long_to_load_holds_up_nobody_who_wants_another(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.models.inference import sessions as module

    begun, go_on = threading.Event(), threading.Event()
    plain = module.load

    def slow(about: Any, options: Any = None) -> Any:
        if about.name == "classes":
            begun.set()
            assert go_on.wait(30)
        return plain(about, options)

    monkeypatch.setattr(module, "load", slow)
    sessions = Sessions([root])
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(sessions.get, "classes") for _ in range(2)]
        assert begun.wait(30)
        assert sessions.get("linear").session is not None
        go_on.set()
        assert waiting[0].result() is waiting[1].result(), "loaded once for both"


def test_a_release_that_failed_is_tried_again_when_the_operator_says_so(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "damaged", tmp_path / "damaged")
    sessions = Sessions([tmp_path])
    with pytest.raises(ModelFailed):
        sessions.get("damaged")
    good = root / "linear/releases/1.0.0/model.onnx"
    shutil.copy(good, tmp_path / "damaged/releases/1.0.0/model.onnx")
    with pytest.raises(ModelFailed):
        sessions.get("damaged")
    sessions.forget_failures("damaged")
    assert sessions.get("damaged").session is not None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def entered(lines: Lines, name: str, numbers: range, size: int = 0) -> int:
    """How many of the calls were let in."""
    count = 0
    for number in numbers:
        try:
            lines.enter(name, number, size)
        except Busy as busy:
            assert busy.retry_after_s >= 1
            assert name in busy.what
            break
        count += 1
    return count


def test_a_popular_model_does_not_take_the_places_of_the_others() -> None:
    lines = Lines(Clock())
    assert entered(lines, "popular", range(1000)) == MOST_OF_ONE
    assert entered(lines, "other", range(1000, 1020)) == 20
    for number in range(MOST_OF_ONE):
        lines.leave("popular", number, 0)
    assert entered(lines, "popular", range(2000, 2005)) == 5


def test_a_slow_model_gets_few_places_until_its_calls_end() -> None:
    clock = Clock()
    lines = Lines(clock)
    assert entered(lines, "slow", range(MOST_OF_A_SLOW_ONE)) == MOST_OF_A_SLOW_ONE
    clock.now += SLOW_S + 0.1
    assert entered(lines, "slow", range(100, 101)) == 0
    assert entered(lines, "quick", range(200, 250)) == 50
    lines.leave("slow", 0, 0)
    assert entered(lines, "slow", range(300, 302)) == 1
    for number in (*range(1, MOST_OF_A_SLOW_ONE), 300):
        lines.leave("slow", number, 0)
    assert entered(lines, "slow", range(400, 450)) == 50, "its last call was short"
    clock.now += SLOW_S + 0.1
    for number in range(400, 450):
        lines.leave("slow", number, 0)
    assert entered(lines, "slow", range(500, 550)) == MOST_OF_A_SLOW_ONE, "and now long again"


def test_large_bodies_of_one_model_leave_room_for_those_of_others() -> None:
    lines = Lines(Clock())
    size = 8 * 1024 * 1024
    assert entered(lines, "large", range(10), size) == 4
    assert entered(lines, "other", range(100, 103), size) == 3


def test_lines_take_turns_and_no_model_gets_every_thread() -> None:
    held, began, done = threading.Event(), Counter[str](), []
    lock = threading.Lock()

    def answer(ask: Ask) -> None:
        with lock:
            began[ask.name] += 1
        if ask.name == "slow":
            assert held.wait(30)
        with lock:
            done.append(ask.name)

    lanes = Lanes(answer)
    for _ in range(10):
        lanes.put(Ask(0, INFER, "slow"))
    wait_until(lambda: began["slow"] == 2, "two threads take the slow model's calls")
    for _ in range(5):
        lanes.put(Ask(0, INFER, "quick"))
    wait_until(lambda: done.count("quick") == 5, "the third answers the others")
    assert began["slow"] == 2
    held.set()
    wait_until(lambda: done.count("slow") == 10, "all are answered in the end")


def test_a_slow_model_leaves_the_others_alone_and_its_own_callers_are_told_when_to_come_back(
    server: ModelServer,
) -> None:
    """Its calls run until they are terminated; meanwhile the others are answered, their first calls too."""
    slow = tensor("input", [1, 3], [9, 0, 0])
    quick = tensor("input", [1, 3], [1, 2, 3])
    server.call("POST", "/v2/repository/models/classes/unload")
    assert server.infer("endless", slow).status == 503
    extra = 12
    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(server.infer, "endless", slow) for _ in range(MOST_OF_A_SLOW_ONE + extra)]
        statuses = Counter[int]()
        while not all(each.done() for each in asked):
            statuses[server.infer("linear", quick).status] += 1
            statuses[server.infer("classes", quick).status] += 1
        answers = [each.result() for each in asked]
    assert set(statuses) == {200}
    assert statuses[200] > len(asked), "the others were answered all along"
    assert {each.status for each in answers} == {503}
    reasons = Counter(each.json()["type"].rpartition("/")[2] for each in answers)
    assert set(reasons) == {"model-too-slow", "busy"}
    # Who comes late on a busy machine finds a place that was given up meanwhile.
    assert reasons["model-too-slow"] >= MOST_OF_A_SLOW_ONE
    for each in answers:
        assert int(each.headers["Retry-After"]) >= 1 and each.json()["error"]
    assert values(server.infer("endless", quick), "value") == [3.0]
