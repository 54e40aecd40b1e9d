"""Settings: one typed object per process, read once from `ZHIGAI_…`. Nothing else reads the environment.

Which of the two modes runs is decided here and only here: a URL that is set means the distributed engine,
one that is absent means the embedded one. A bad setting is named in the error; its value is never shown.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

SERVICES = ("gateway", "catalog", "knowledge", "models", "programme", "portal")
UPSTREAM_SERVICES = ("catalog", "knowledge", "models", "programme")


class BadSetting(Exception):
    """A setting is missing or cannot be read. Names the setting, never its value."""


class Secret:
    """A value that never shows in logs, reprs or errors."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True, kw_only=True)
class Settings:
    home: Path
    """Folder of everything this installation keeps: databases, indexes, blobs, keys."""
    secret: Secret
    """Signs the principal that the gateway hands to services, and guest tokens. The same on every machine."""
    host: str = "127.0.0.1"
    port: int = 8080
    database_url: Secret | None = None
    """PostgreSQL; absent: one SQLite file per service under `home`."""
    redis_url: Secret | None = None
    """Redis for rates and the job bell; absent: memory and a child process."""
    elasticsearch_url: Secret | None = None
    """Elasticsearch; absent: tantivy under `home`."""
    index_prefix: str = "zhigai"
    """Prefix of Elasticsearch indexes, so that two installations can share a cluster."""
    upstreams: Mapping[str, str] = field(default_factory=dict)
    """Service name -> URL. A service without one is mounted in this process."""
    gateway_url: str | None = None
    """Where the portal finds the public API when the gateway is not in its process."""
    public_url: str | None = None
    """The address that users see, for links that leave the platform."""
    data_dir: Path | None = None
    """Folder of full data sets for training; only training and its tests read it."""
    log_level: str = "info"
    worker_idle_s: float = 20.0
    """The child worker ends after this long without work."""
    job_lease_s: float = 60.0
    page_threads: int = 16
    pages_at_once: int = 0
    """Pages that compute at the same time; 0: one with embedded databases, four with databases that are waited for."""
    page_limit_total: int = 64
    """Pages in work or waiting at once; one more gets 503 with Retry-After."""
    pages_per_second: int = 400
    pages_per_second_per_address: int = 150
    """Pages and inference share an interpreter; a flood beyond this gets 503 and inference keeps its share."""
    page_share_percent: int = 50
    """How much of the interpreter's time pages may take for long, whatever they cost each."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For names the client (nginx in the distributed mode)."""
    anonymous_per_minute: int = 600
    predict_anonymous_per_minute: int = 120
    key_per_minute: int = 600_000
    memory_budget_mb: int = 1024
    """Upper limit of a model runner's address space growth (RLIMIT_AS is set from it)."""
    guest_data_days: int = 30
    """Datasets of guests, and what was predicted for them, are deleted after so many days."""
    loopback_endpoints: bool = False
    """Whether providers' endpoints and webhooks on this very machine are called, by plain http too: for tests only."""

    click_ranking: bool = False
    """Whether results that were opened for a query stand a little higher for it."""
    embedder: Path | None = None
    """Folder with a sentence model (`model.onnx`, `vocab.txt`) that is added to search; none by default."""

    @property
    def embedded(self) -> bool:
        return self.database_url is None

    def with_(self, **changes: object) -> Settings:
        return replace(self, **changes)  # type: ignore[arg-type]

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads `ZHIGAI_…`. Raises `BadSetting` naming the variable that is wrong."""
        given = _Given(os.environ if environment is None else environment)
        home = Path(given.text("HOME") or given.default_home()).expanduser().absolute()
        data_dir = given.text("DATA_DIR")
        return cls(
            home=home,
            secret=_secret(given.text("SECRET"), home),
            host=given.text("HOST") or cls.host,
            port=given.integer("PORT", cls.port),
            database_url=_hidden(given.text("DATABASE_URL")),
            redis_url=_hidden(given.text("REDIS_URL")),
            elasticsearch_url=_hidden(given.text("ELASTICSEARCH_URL")),
            index_prefix=given.text("INDEX_PREFIX") or cls.index_prefix,
            upstreams=given.upstreams(),
            gateway_url=given.text("GATEWAY_URL") or None,
            public_url=given.text("PUBLIC_URL") or None,
            data_dir=Path(data_dir) if data_dir else None,
            log_level=(given.text("LOG_LEVEL") or cls.log_level).lower(),
            worker_idle_s=given.number("WORKER_IDLE_S", cls.worker_idle_s),
            job_lease_s=given.number("JOB_LEASE_S", cls.job_lease_s),
            page_threads=given.integer("PAGE_THREADS", cls.page_threads),
            pages_at_once=given.integer("PAGES_AT_ONCE", cls.pages_at_once),
            page_limit_total=given.integer("PAGE_LIMIT_TOTAL", cls.page_limit_total),
            page_share_percent=given.integer("PAGE_SHARE_PERCENT", cls.page_share_percent),
            pages_per_second=given.integer("PAGES_PER_SECOND", cls.pages_per_second),
            pages_per_second_per_address=given.integer(
                "PAGES_PER_SECOND_PER_ADDRESS", cls.pages_per_second_per_address
            ),
            trusted_proxies=tuple(part.strip() for part in given.text("TRUSTED_PROXIES").split(",") if part.strip()),
            anonymous_per_minute=given.integer("ANONYMOUS_PER_MINUTE", cls.anonymous_per_minute),
            predict_anonymous_per_minute=given.integer(
                "PREDICT_ANONYMOUS_PER_MINUTE", cls.predict_anonymous_per_minute
            ),
            key_per_minute=given.integer("KEY_PER_MINUTE", cls.key_per_minute),
            memory_budget_mb=given.integer("MEMORY_BUDGET_MB", cls.memory_budget_mb),
            guest_data_days=given.integer("GUEST_DATA_DAYS", cls.guest_data_days),
            loopback_endpoints=bool(given.integer("LOOPBACK_ENDPOINTS", 0)),
            click_ranking=bool(given.integer("CLICK_RANKING", 0)),
            embedder=Path(given.text("EMBEDDER")) if given.text("EMBEDDER") else None,
        )


class _Given:
    """The environment as given, read one variable at a time."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        return self._values.get(f"ZHIGAI_{name}", "").strip()

    def integer(self, name: str, default: int) -> int:
        text = self.text(name)
        try:
            value = int(text) if text else default
        except ValueError:
            raise BadSetting(f"ZHIGAI_{name} must be a whole number") from None
        if value < 0:
            raise BadSetting(f"ZHIGAI_{name} must not be negative")
        return value

    def number(self, name: str, default: float) -> float:
        text = self.text(name)
        try:
            return float(text) if text else default
        except ValueError:
            raise BadSetting(f"ZHIGAI_{name} must be a number") from None

    def default_home(self) -> str:
        return f"{self._values.get('XDG_DATA_HOME') or '~/.local/share'}/zhigai"

    def upstreams(self) -> dict[str, str]:
        found = {name: self.text(f"UPSTREAM_{name.upper()}").rstrip("/") for name in UPSTREAM_SERVICES}
        for name, url in found.items():
            if url and not url.startswith(("http://", "https://")):
                raise BadSetting(f"ZHIGAI_UPSTREAM_{name.upper()} must start with http:// or https://")
        return {name: url for name, url in found.items() if url}


def _hidden(value: str) -> Secret | None:
    return Secret(value) if value else None


def _secret(given: str, home: Path) -> Secret:
    """`ZHIGAI_SECRET`, else a random one made once and kept in the home with mode 0600.

    There is no default secret that would work in production: several machines must be given the same one.
    """
    if given:
        if len(given) < 32:
            raise BadSetting("ZHIGAI_SECRET must have at least 32 characters")
        return Secret(given)
    path = home / "secret.key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = home / f".secret-{os.getpid()}-{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        # A link either makes the whole file or finds that another process was first: no reader sees half a secret.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return Secret(path.read_text(encoding="ascii").strip())
