"""Starting and stopping: in order, in time, and never two on one port."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time

from tests.contract.waiting import wait_until
from tests.unit.http.conftest import ROOT, Served, Start
from tests.unit.http.test_streams import open_events


def test_what_is_in_work_is_finished_before_the_server_ends(start: Start) -> None:
    served = start()
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(served.ask("GET", "/sleep?1.5")[0]))
    served.job("open", state="running")
    with open_events(served, "open") as events:
        assert events.recv(65536)
        asking.start()
        wait_until(lambda: "/sleep" in served.get("/counts")["asked"], "the page is in work")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(timeout=15) == 0
        asking.join(timeout=5)
        assert found == [200]
        assert events.recv(65536).endswith(b"0\r\n\r\n"), "the stream was ended, not broken"


def test_a_page_that_hangs_does_not_keep_the_server(start: Start) -> None:
    served = start(drain_s=0.5)
    asking = threading.Thread(target=lambda: _ask_and_lose(served), daemon=True)
    asking.start()
    wait_until(lambda: "/sleep" in served.get("/counts")["asked"], "the page is in work")
    began = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=20) == 0
    assert time.monotonic() - began < 10


def _ask_and_lose(served: Served) -> None:
    with contextlib.suppress(OSError):
        served.ask("GET", "/sleep?60")


def test_a_second_server_on_the_port_is_refused_and_says_so(start: Start) -> None:
    served = start()
    given = json.dumps({"home": str(served.home), "port": served.port})
    second = subprocess.run(
        [sys.executable, "-m", "tests.unit.http.sample_server", given],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert second.returncode != 0
    assert f"cannot listen on 127.0.0.1:{served.port}" in second.stderr
    assert served.get("/x")["path"] == "/x"
