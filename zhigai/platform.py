"""The all-in-one, wired in a page: every service in one process behind the gateway, the portal, the model runner.

A service whose upstream URL is set is called over HTTP instead of being mounted; nothing else changes.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.database import Database, Idempotency
from shared.database.loaded import has_mark, mark_of, set_mark
from shared.database.migrations import is_current
from shared.errors import Refused
from shared.http.upstream import MountedUpstream, Upstream, open_upstream
from shared.jobs.worker import Work, start_sweeper
from shared.search import AnalysedQuery, Clause, SearchIndex, SearchRequest
from shared.settings import UPSTREAM_SERVICES, Settings
from zhigai.wsgi_front import Front

if TYPE_CHECKING:
    import flask

    from shared.http.call import HotRoute

ROOT = Path(__file__).resolve().parent.parent
DATA_SERVICES = (*UPSTREAM_SERVICES, "gateway")
WITHOUT_DATABASE = ("programme",)
INDEXED_SERVICES = ("catalog", "knowledge", "models")
JOB_SERVICES = ("models",)


@dataclass
class Platform:
    """What the server needs: the pages, the routes answered on the event loop, and what starts and stops."""

    wsgi: Any
    hot: list[HotRoute] = field(default_factory=list)
    starting: list[Callable[[], None]] = field(default_factory=list)
    stopping: list[Callable[[], None]] = field(default_factory=list)

    def start(self) -> None:
        for each in self.starting:
            each()

    def stop(self) -> None:
        while self.stopping:
            self.stopping.pop()()


def service_app(settings: Settings, service: str) -> flask.Flask:
    """One of the services behind the gateway."""
    module = importlib.import_module(f"services.{service}.app")
    app: flask.Flask = module.create_app(settings)
    return app


def prepare(settings: Settings) -> None:
    """Databases at their newest schema, content loaded, indexes whole. What stands as it was left costs no reading."""
    mark = mark_of([ROOT / "services", ROOT / "shared"])
    marked = [service for service in DATA_SERVICES if service not in WITHOUT_DATABASE]
    if not all(has_mark(settings, service, mark) for service in marked):
        migrate(settings)
        load_content(settings)
        for service in marked:
            set_mark(settings, service, mark)
    bring_indexes_up_to_date(settings)


def migrate(settings: Settings) -> None:
    for service in DATA_SERVICES:
        importlib.import_module(f"services.{service}.app").migrate(settings)


def is_migrated(settings: Settings) -> bool:
    """Whether every database that is opened here has the schema of this version."""
    for service in DATA_SERVICES:
        if service in WITHOUT_DATABASE or service in settings.upstreams:
            continue
        migrations = importlib.import_module(f"services.{service}.app").MIGRATIONS
        database = Database.open(settings, service, migrations)
        try:
            if not is_current(database):
                return False
        finally:
            database.close()
    return True


def seed(settings: Settings) -> None:
    """Loads the shipped content and brings the search indexes up to date."""
    load_content(settings)
    bring_indexes_up_to_date(settings)


def load_content(settings: Settings) -> None:
    for service in UPSTREAM_SERVICES:
        module = importlib.import_module(f"services.{service}.app")
        if hasattr(module, "seed"):
            module.seed(settings)


def bring_indexes_up_to_date(settings: Settings) -> None:
    """A search index that is new or of an older analysis is built; into another goes what it has not seen yet."""
    for service in INDEXED_SERVICES:
        app = service_app(settings, service)
        context = app.extensions["zhigai"]
        try:
            if context.parts["index"].is_current():
                context.parts["relay"].drain_all()
            else:
                importlib.import_module(f"services.{service}.app").reindex(app)
                context.parts["relay"].drain_all()
        finally:
            context.close()


def all_in_one(settings: Settings) -> Platform:
    """Everything in this process."""
    from services.gateway.app import create_app as create_gateway
    from services.models.app import hot_routes
    from services.portal.app import create_app as create_portal
    from shared.http.waiting import JobWaits

    upstreams: dict[str, Upstream] = {}
    apps: dict[str, flask.Flask] = {}
    for service in UPSTREAM_SERVICES:
        if service in settings.upstreams:
            upstreams[service] = open_upstream(service, settings.upstreams[service])
        else:
            apps[service] = service_app(settings, service)
            upstreams[service] = MountedUpstream(apps[service])
    gateway = create_gateway(settings, upstreams)
    portal = create_portal(settings, MountedUpstream(gateway))
    platform = Platform(Front(gateway, portal))
    if "models" in apps:
        platform.hot += hot_routes(apps["models"], gateway.for_inference())
    platform.hot.append(JobWaits(settings.secret))
    _lifecycle(platform, settings, {**apps, "gateway": gateway.flask})
    return platform


def one_service(settings: Settings, service: str) -> Platform:
    """One service by itself, behind a gateway in another process."""
    if service == "gateway":
        from services.gateway.app import create_app as create_gateway

        missing = [name for name in UPSTREAM_SERVICES if name not in settings.upstreams]
        if missing:
            names = ", ".join(f"ZHIGAI_UPSTREAM_{name.upper()}" for name in missing)
            raise SystemExit(f"the gateway alone needs the addresses of the services: {names}")
        gateway = create_gateway(settings, {name: open_upstream(name, url) for name, url in settings.upstreams.items()})
        platform = Platform(gateway)
        _lifecycle(platform, settings, {"gateway": gateway.flask})
        return platform
    if service == "portal":
        from services.portal.app import create_app as create_portal

        if settings.gateway_url is None:
            raise SystemExit("the portal alone needs the gateway's address: ZHIGAI_GATEWAY_URL")
        return Platform(create_portal(settings, open_upstream("gateway", settings.gateway_url)))
    app = service_app(settings, service)
    platform = Platform(app)
    if service == "models":
        from services.models.app import hot_routes
        from shared.http.signed import admit_signed

        platform.hot += hot_routes(app, admit_signed(settings))
    if service in JOB_SERVICES:
        from shared.http.waiting import JobWaits

        platform.hot.append(JobWaits(settings.secret))
    _lifecycle(platform, settings, {service: app})
    return platform


def works(settings: Settings) -> list[Work]:
    """What a worker turns: the jobs of every service that has some."""
    found = []
    for service in JOB_SERVICES:
        app = service_app(settings, service)
        parts: Mapping[str, Any] = app.extensions["zhigai"].parts
        handlers = importlib.import_module(f"services.{service}.jobs").handlers(app.extensions["zhigai"])
        found.append(Work(service, parts["jobs"], handlers, app.extensions["zhigai"].problems))
    return found


def _warm(index: SearchIndex) -> None:
    """The first search of an engine loads what all later ones use; better now than for the first user."""
    with contextlib.suppress(Refused):
        index.search(SearchRequest(AnalysedQuery("", (Clause("words", "warm", 1.0),)), limit=1))


def _forget_old_answers(kept: Idempotency) -> None:
    """Answers kept for repeated writes go after a day; each start looks, and one is enough for all processes."""
    with contextlib.suppress(Refused):
        kept.prune()


def _warm_analysis() -> None:
    from services.gateway.search.run import understood

    understood("定型机 kyj")


def _lifecycle(platform: Platform, settings: Settings, apps: Mapping[str, flask.Flask]) -> None:
    jobs = []
    for app in apps.values():
        context = app.extensions["zhigai"]
        relay = context.parts.get("relay")
        if relay is not None:
            platform.starting.append(relay.start)
            platform.stopping.append(relay.stop)
        if "tables" in context.parts and "database" in context.parts:
            kept = Idempotency(context.parts["database"], context.parts["tables"])
            platform.starting.append(partial(_forget_old_answers, kept))
        if "index" in context.parts:
            platform.starting.append(partial(_warm, context.parts["index"]))
        if context.service == "gateway":
            platform.starting.append(_warm_analysis)
        if "jobs" in context.parts:
            jobs.append(context.parts["jobs"])
        platform.stopping.append(context.close)
    if jobs and settings.redis_url is None:
        platform.starting.append(lambda: platform.stopping.append(start_sweeper(jobs, settings)))
