"""The platform as real processes: the all-in-one, and every service by itself behind nginx."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from shared.settings import Settings
from tools.devservers import free_port

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("catalog", "knowledge", "models", "programme")


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A platform at an address, and the processes behind it by name."""

    url: str
    home: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def admin_key(self) -> str:
        return (self.home / "admin.key").read_text(encoding="ascii").strip()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Answer:
        url = self.url + path + (f"?{urlencode(query)}" if query else "")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})} if data is not None else dict(headers or {})
        request = urllib.request.Request(url, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read())

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, query=query or None)
        assert answer.status == 200, (path, answer.status, answer.body[:500])
        return answer.json()

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The settings as the environment of a process; nothing of ours is inherited."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ZHIGAI_", "PORT"))}
    given = {
        "ZHIGAI_HOME": str(settings.home),
        "ZHIGAI_SECRET": settings.secret.reveal(),
        "ZHIGAI_INDEX_PREFIX": settings.index_prefix,
        "ZHIGAI_LOG_LEVEL": "warning",
        "ZHIGAI_WORKER_IDLE_S": "5",
        "ZHIGAI_PAGE_SHARE_PERCENT": "1000",
        "ZHIGAI_PAGES_PER_SECOND": "100000",
        "ZHIGAI_PAGES_PER_SECOND_PER_ADDRESS": "100000",
        "ZHIGAI_ANONYMOUS_PER_MINUTE": "100000",
        "PYTHONPATH": str(ROOT),
    }
    for name in ("database_url", "redis_url", "elasticsearch_url"):
        value = getattr(settings, name)
        if value is not None:
            given[f"ZHIGAI_{name.upper()}"] = value.reveal()
    return {**inherited, **given, **more}


def zhigai(settings: Settings, *words: str, **more: str) -> str:
    """Runs a command to its end; its output."""
    done = subprocess.run(
        [sys.executable, "-m", "zhigai", *words],
        env=environment(settings, **more), cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"zhigai {' '.join(words)}: {done.stderr[-3000:]}"
    return done.stdout


def start(running: Running, settings: Settings, name: str, *words: str, **more: str) -> None:
    log = (settings.home / f"{name}.log").open("ab")
    with log:
        running.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "zhigai", *words],
            env=environment(settings, **more),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )


def wait_for(url: str, running: Running, seconds: float = 90, expected: int = 200) -> None:
    """Until the address answers; a process that ended meanwhile shows its log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, process in running.processes.items():
            if process.poll() is not None:
                raise AssertionError(f"{name} ended: {(running.home / f'{name}.log').read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == expected:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    logs = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in running.home.glob("*.log"))
    raise AssertionError(f"{url} did not answer {expected} within {seconds} s\n{logs}")


def start_embedded(settings: Settings, **more: str) -> Running:
    """`zhigai serve`: everything in one process, as `make run` starts it."""
    port = free_port()
    running = Running(f"http://127.0.0.1:{port}", settings.home)
    start(running, settings, "serve", "serve", "--port", str(port), **more)
    wait_for(f"{running.url}/readyz", running)
    return running


def start_distributed(settings: Settings, nginx: str) -> Running:
    """Each service in its own process on PostgreSQL, Redis and Elasticsearch, a Celery worker, nginx in front."""
    zhigai(settings, "migrate")
    zhigai(settings, "seed")
    ports = {name: free_port() for name in (*SERVICES, "gateway", "portal", "nginx")}
    running = Running(f"http://127.0.0.1:{ports['nginx']}", settings.home)
    upstreams = {f"ZHIGAI_UPSTREAM_{name.upper()}": f"http://127.0.0.1:{ports[name]}" for name in SERVICES}
    gateway = f"http://127.0.0.1:{ports['gateway']}"
    for name in SERVICES:
        start(running, settings, name, "serve", name, "--port", str(ports[name]))
    trusted = {"ZHIGAI_TRUSTED_PROXIES": "127.0.0.1/32"}
    start(running, settings, "gateway", "serve", "gateway", "--port", str(ports["gateway"]), **upstreams, **trusted)
    start(running, settings, "portal", "serve", "portal", "--port", str(ports["portal"]), ZHIGAI_GATEWAY_URL=gateway)
    start(running, settings, "worker", "worker")
    _start_nginx(running, settings, nginx, ports)
    wait_for(f"{running.url}/readyz", running)
    wait_for(f"{running.url}/", running)
    _wait_for_whole_searches(running)
    return running


def _wait_for_whole_searches(running: Running, seconds: float = 60) -> None:
    """Until no service is missing from a search: the gateway came up before those behind it, and its breakers say so."""
    deadline = time.monotonic() + seconds
    while running.get("/api/v1/search", q="能耗")["warnings"]:
        assert time.monotonic() < deadline, "searches stay incomplete"
        time.sleep(0.2)


def _start_nginx(running: Running, settings: Settings, nginx: str, ports: Mapping[str, int]) -> None:
    folder = settings.home / "nginx"
    cache = folder / "authorise"
    cache.mkdir(parents=True, mode=0o700)
    values = {
        "ZHIGAI_NGINX_LISTEN": f"127.0.0.1:{ports['nginx']}",
        "ZHIGAI_NGINX_GATEWAY": f"127.0.0.1:{ports['gateway']}",
        "ZHIGAI_NGINX_MODELS": f"127.0.0.1:{ports['models']}",
        "ZHIGAI_NGINX_PORTAL": f"127.0.0.1:{ports['portal']}",
        "ZHIGAI_NGINX_AUTH_CACHE": str(cache),
        "ZHIGAI_NGINX_USAGE_LOG": str(folder / "usage.log"),
    }
    site = (ROOT / "infra" / "nginx" / "zhigai.conf.template").read_text(encoding="utf-8")
    for name, value in values.items():
        site = site.replace("${" + name + "}", value)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log warn;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n{temporary}{site}\n}}\n"
    )
    log = (settings.home / "nginx.log").open("ab")
    with log:
        running.processes["nginx"] = subprocess.Popen(
            [nginx, "-c", str(config), "-p", str(folder)], stdout=log, stderr=log
        )
