"""Models of other organisations run in processes of their own: what one of them does is its own affair."""

from __future__ import annotations

import itertools
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.models.errors import Quarantined
from services.models.inference.runners import CRASHES, REST_S, STOPPED, WITHIN_S, Crashes
from shared.errors import Busy
from tests.contract.waiting import wait_until
from tests.fuzz import hostile_onnx
from tests.services.models import tiny_components
from tests.services.models.model_server import ModelServer, serving, tensor, values
from tests.services.models.provided_components import hungry, provided

ROW = [[1.0, 2.0, 3.0]]
LINEAR = (2.0, 3.0, -1.0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("components")
    tiny_components.write(root, "ours", tiny_components.linear(LINEAR, 0.0))
    for provider in ("org-a", "org-b"):
        provided(root, f"good-of-{provider}", tiny_components.linear(LINEAR, 0.0), provider)
    provided(root, "endless", tiny_components.endless(-1.0), "org-a")
    provided(root, "hungry", hungry(), "org-a")
    crashing = hostile_onnx.deep_tree(50_000).SerializeToString()
    provided(root, "crashing", crashing, "org-a", features=("power", "speed"))
    return root


@pytest.fixture
def server(root: Path) -> Iterator[ModelServer]:
    with serving(root) as made:
        yield made


def ask(server: ModelServer, name: str, row: Any = ROW) -> Any:
    return server.infer(name, tensor("input", [len(row), len(row[0])], row))


def provider_pids(server: ModelServer, provider: str) -> list[int]:
    children = Path(f"/proc/{server.server.pid}/task/{server.server.pid}/children").read_text().split()
    wanted = f"--provider={provider}".encode()
    return [int(child) for child in children if wanted in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")]


class Others:
    """Callers of the platform's and of another provider's model, all the while."""

    def __init__(self, server: ModelServer) -> None:
        self.found: Counter[Any] = Counter()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(server, name)) for name in ("ours", "good-of-org-b")
        ]  # fmt: skip

    def _call(self, server: ModelServer, name: str) -> None:
        while not self._ended.is_set():
            answer = ask(server, name)
            self.found[(name, answer.status, answer.status == 200 and values(answer, "value")[0])] += 1

    def __enter__(self) -> Others:
        for thread in self._threads:
            thread.start()
        wait_until(lambda: len(self.found) >= 2, "both are answered")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def test_a_providers_runner_starts_at_its_first_call_and_serves_no_one_else(server: ModelServer) -> None:
    assert values(ask(server, "ours"), "value") == [5.0]
    assert provider_pids(server, "org-a") == []
    assert values(ask(server, "good-of-org-a"), "value") == [5.0]
    (first,) = provider_pids(server, "org-a")
    assert values(ask(server, "good-of-org-b"), "value") == [5.0]
    (second,) = provider_pids(server, "org-b")
    assert len({first, second, server.runner_pid}) == 3


def test_a_providers_runner_has_no_network_none_of_our_secrets_and_stands_behind(server: ModelServer) -> None:
    ask(server, "good-of-org-a")
    (pid,) = provider_pids(server, "org-a")
    given = {each.partition(b"=")[0] for each in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if each}
    assert given <= {b"PATH", b"OMP_NUM_THREADS", b"PYTHONPATH", b"LC_CTYPE"}
    nice = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16])
    assert nice >= 5
    ours, theirs = os.readlink("/proc/self/ns/net"), os.readlink(f"/proc/{pid}/ns/net")
    if ours == theirs:
        pytest.skip("this kernel gives no network namespace: the hook of the interpreter stands in")
    assert len(Path(f"/proc/{pid}/net/dev").read_text().splitlines()) == 3, "nothing but a loopback"


@pytest.mark.parametrize(("culprit", "problem"), [("endless", "model-too-slow"), ("hungry", "model-failed")])
def test_a_model_that_loops_or_eats_memory_fails_alone(server: ModelServer, culprit: str, problem: str) -> None:
    pid = server.runner_pid
    with Others(server) as others:
        for _ in range(2):
            refused = ask(server, culprit)
            assert refused.status in (422, 503), refused.body
            assert refused.json()["type"].rpartition("/")[2] in (problem, "model-failed")
    assert set(others.found) == {("ours", 200, 5.0), ("good-of-org-b", 200, 5.0)}, others.found
    assert values(ask(server, "good-of-org-a"), "value") == [5.0]
    assert server.runner_pid == pid


def test_a_model_that_ends_its_process_again_and_again_is_quarantined(server: ModelServer) -> None:
    pid = server.runner_pid
    with Others(server) as others:
        said = [ask(server, "crashing", [[1.0, 2.0]]) for _ in range(CRASHES)]
        assert {each.status for each in said} == {503}
        refused = ask(server, "crashing", [[1.0, 2.0]])
        assert refused.status == 503
        assert refused.json()["type"] == "/problems/component-quarantined"
        assert refused.headers["Retry-After"]
    assert set(others.found) == {("ours", 200, 5.0), ("good-of-org-b", 200, 5.0)}, others.found
    wait_until(lambda: ask(server, "good-of-org-a").status == 200, "the others of the provider go on")
    assert server.runner_pid == pid


def test_a_few_crashes_over_a_long_time_quarantine_nobody() -> None:
    moments = itertools.count(0, WITHIN_S / (CRASHES - 1) + 1)
    clock: Callable[[], float] = lambda: next(moments)  # noqa: E731
    stopped: list[str] = []
    crashes = Crashes(lambda name, _: stopped.append(name), clock)
    for _ in range(10):
        crashes.ended({"m"})
    crashes.check("m")
    assert stopped == []


def test_crashes_in_a_row_stop_the_component_once_and_no_other() -> None:
    now = [0.0]
    stopped: list[str] = []
    crashes = Crashes(lambda name, _: stopped.append(name), lambda: now[0])
    for _ in range(CRASHES + 2):
        crashes.ended({"m"})
    assert stopped == ["m"]
    with pytest.raises(Quarantined):
        crashes.check("m")
    crashes.check("other")
    now[0] = WITHIN_S + 1
    crashes.check("m")


def test_a_component_that_is_stopped_again_and_again_rests_and_comes_back() -> None:
    now = [0.0]
    crashes = Crashes(clock=lambda: now[0])
    for _ in range(STOPPED - 1):
        crashes.too_slow("m")
        crashes.check("m")
    crashes.too_slow("m")
    with pytest.raises(Busy):
        crashes.check("m")
    crashes.check("other")
    now[0] = REST_S + 1
    crashes.check("m")
