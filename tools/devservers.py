"""Starts the real servers that tests and the distributed mode on one machine need, on free ports, and stops them.

Each is looked for in this order: an address in `ZHIGAI_TEST_<NAME>_URL`; a program on this machine; as root, the Debian
package (Elasticsearch: the vendor's own distribution as a Maven artifact, kept under `~/.cache/zhigai`). What cannot be
had is named with the line that would install it.

    python tools/devservers.py            # starts all, prints their addresses, stops them on Ctrl-C
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

if not __package__:
    # Run as a file, the folder above is not where Python looks.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools.server_process import Missing, Server, from_note, note_of

ELASTICSEARCH = "8.19.21"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "zhigai"
PACKAGES = {
    "redis-server": ["redis-server"],
    "initdb": ["postgresql"],
    "nginx": ["nginx-light"],
    "chromium": ["chromium", "fonts-noto-cjk"],
    "java": ["openjdk-17-jre-headless"],
    "mvn": ["maven"],
    "wrk": ["wrk"],
}


@dataclass
class Servers:
    """What is running; `close()` stops what was started here.

    With a `folder`, several processes (the workers of one test run) share one set: whoever needs a server first starts
    it under a file lock and leaves a note, and whoever made the folder stops them all.
    """

    folder: Path | None = None
    found: dict[str, Server] = field(default_factory=dict)

    def get(self, name: str) -> Server:
        if name not in self.found:
            self.found[name] = STARTERS[name]() if self.folder is None else self._shared(name, self.folder)
        return self.found[name]

    def _shared(self, name: str, folder: Path) -> Server:
        note = folder / f"{name}.json"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not note.exists():
                try:
                    server = STARTERS[name]()
                except Missing as missing:
                    note.write_text(json.dumps({"missing": str(missing)}))
                else:
                    note.write_text(json.dumps(note_of(server)))
        said = json.loads(note.read_text())
        if "missing" in said:
            raise Missing(said["missing"])
        return from_note(said)

    def close(self) -> None:
        if self.folder is not None:
            for note in self.folder.glob("*.json"):
                said = json.loads(note.read_text())
                if "missing" not in said:
                    from_note(said).stop()
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            for server in self.found.values():
                server.stop()
        self.found.clear()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """The path of a program, installed by its Debian package when it is missing and we may."""
    found = _which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with _one_at_a_time("packages"):
            # Another process of the test run may have installed it meanwhile.
            if _which(name) is None:
                _install(PACKAGES[name])
        found = _which(name)
    if found is None:
        raise Missing(f"{name} is missing: sudo apt-get install {' '.join(PACKAGES[name])}")
    return found


def _which(name: str) -> str | None:
    if name == "initdb":
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        return str(versions[-1]) if versions else None
    for folder in (None, "/usr/sbin:/usr/local/sbin:/sbin"):
        found = shutil.which(name, path=folder)
        if found:
            return found
    return None


@contextlib.contextmanager
def _one_at_a_time(what: str) -> Iterator[None]:
    """Among all processes of this user: the package manager and a download are not to be started twice."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    marker = CACHE / "apt-updated"
    print(f"installing {' '.join(packages)} ...", file=sys.stderr)
    if not marker.exists() or time.time() - marker.stat().st_mtime > 6 * 3600:
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, stdout=subprocess.DEVNULL)
        marker.touch()
    # A machine that was just switched on may be busy with updates of its own: wait for it.
    waiting = ["-o", "DPkg::Lock::Timeout=600"]
    command = ["apt-get", *waiting, "install", "-y", "-qq", "--no-install-recommends", *packages]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}")


def _as_user(user: str) -> list[str]:
    """Servers that refuse root are started as another user."""
    if os.geteuid() != 0:
        return []
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


def _own(folder: Path, user: str) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", user, str(folder)], check=True)
        folder.chmod(0o755)


def _folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"zhigai-{name}-"))


def _given(name: str) -> Server | None:
    url = os.environ.get(f"ZHIGAI_TEST_{name.upper()}_URL")
    return Server(name, url) if url else None


def redis(*, own: bool = False) -> Server:
    """`own`: a fresh one although an address was given, for tests that kill it."""
    given = None if own else _given("redis")
    if given:
        return given
    binary, port, folder = program("redis-server"), free_port(), _folder("redis")

    def ready() -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")

    return Server(
        "redis", f"redis://127.0.0.1:{port}/0", port, folder,
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        ready=ready, patience_s=10,
    ).start()  # fmt: skip


def postgres(*, own: bool = False) -> Server:
    given = None if own else _given("postgres")
    if given:
        return given
    initdb, port, folder = Path(program("initdb")), free_port(), _folder("postgres")
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    _own(folder, user)
    prefix = _as_user(user)
    data = folder / "data"
    made = [*prefix, str(initdb), "-D", str(data), "-U", "zhigai", "-A", "trust", "-E", "UTF8", "--no-sync"]
    done = subprocess.run([*made, "--locale=C.UTF-8"], check=False, capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        raise Missing(f"PostgreSQL could not make its data folder: {done.stderr.strip()[-400:]}")
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off",
                "max_connections": 200}  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    is_ready = [str(initdb.with_name("psql")), "-h", "127.0.0.1", "-p", str(port), "-U", "zhigai", "-d", "postgres",
                "-c", "SELECT 1"]  # fmt: skip

    def ready() -> bool:
        return subprocess.run(is_ready, check=False, capture_output=True, cwd="/").returncode == 0

    return Server(
        "postgres", f"postgresql://zhigai@127.0.0.1:{port}/postgres", port, folder,
        [*prefix, str(initdb.with_name("postgres")), "-D", str(data), *options],
        ready=ready, stop_signal=signal.SIGINT,
    ).start()  # fmt: skip


def elasticsearch(*, own: bool = False) -> Server:
    given = None if own else _given("elasticsearch")
    if given:
        return given
    java = Path(program("java")).resolve()
    port, transport, folder = free_port(), free_port(), _folder("elasticsearch")
    with zipfile.ZipFile(_elasticsearch_zip()) as archive:
        archive.extractall(folder)
    home = next(folder.glob("elasticsearch-*"))
    for script in (home / "bin").iterdir():
        script.chmod(0o755)
    (home / "config" / "elasticsearch.yml").write_text(
        "discovery.type: single-node\nxpack.security.enabled: false\nnetwork.host: 127.0.0.1\n"
        f"http.port: {port}\ntransport.port: {transport}\ncluster.routing.allocation.disk.threshold_enabled: false\n"
    )
    (folder / "tmp").mkdir()
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    _own(folder, user)
    environment = {
        "PATH": os.environ["PATH"], "ES_JAVA_HOME": str(java.parent.parent), "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
        "HOME": str(folder), "ES_TMPDIR": str(folder / "tmp"), "LANG": "C.UTF-8",
    }  # fmt: skip

    def ready() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_cluster/health", timeout=2) as answer:
            return bool(answer.status == 200)

    return Server(
        "elasticsearch", f"http://127.0.0.1:{port}", port, folder,
        [*_as_user(user), str(home / "bin" / "elasticsearch")],
        environment=environment, ready=ready, patience_s=90,
    ).start()  # fmt: skip


def _elasticsearch_zip() -> Path:
    target = CACHE / f"elasticsearch-{ELASTICSEARCH}.zip"
    if target.exists():
        return target
    maven = program("mvn")
    with _one_at_a_time("elasticsearch"), tempfile.TemporaryDirectory(dir=CACHE) as draft:
        if target.exists():
            return target
        print("fetching Elasticsearch ...", file=sys.stderr)
        done = subprocess.run(
            [maven, "-B", "-q", "dependency:copy", f"-DoutputDirectory={draft}",
             f"-Dartifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH}:zip"],
            check=False, capture_output=True, text=True, cwd=draft,
        )  # fmt: skip
        fetched = Path(draft) / target.name
        if done.returncode != 0 or not fetched.exists():
            raise Missing(f"Elasticsearch could not be fetched: {(done.stdout + done.stderr).strip()[-400:]}")
        fetched.replace(target)
    return target


def nginx() -> Server:
    """Not started: `url` is the path of the program."""
    return Server("nginx", program("nginx"))


def chromium() -> Server:
    """Not started: `url` is the path of the program. Without a Chinese font every page would show boxes."""
    path = program("chromium")
    if not any(Path("/usr/share/fonts").glob("**/*CJK*")) and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(["fonts-noto-cjk"])
    return Server("chromium", path)


STARTERS: dict[str, Callable[[], Server]] = {
    "redis": redis,
    "postgres": postgres,
    "elasticsearch": elasticsearch,
    "nginx": nginx,
    "chromium": chromium,
}


@contextlib.contextmanager
def running(*names: str) -> Iterator[Servers]:
    servers = Servers()
    try:
        for name in names:
            servers.get(name)
        yield servers
    finally:
        servers.close()


def main() -> None:
    with running(*(sys.argv[1:] or ["redis", "postgres", "elasticsearch"])) as servers:
        for server in servers.found.values():
            print(f"ZHIGAI_{server.name.upper().replace('POSTGRES', 'DATABASE')}_URL={server.url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
