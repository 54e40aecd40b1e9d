"""The gateway: wiring only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from services.gateway.api import industries, keys, me, organisations, platform, search, search_records
from services.gateway.front import Gateway
from services.gateway.logic.search_records import Records
from services.gateway.logic.usage import Flusher
from services.gateway.metering import Meter
from services.gateway.openapi import Merged
from services.gateway.parts import Parts
from services.gateway.policy.state import Limits, State
from services.gateway.problems import PROBLEMS
from services.gateway.refresh import Refresher
from services.gateway.search.learning import Learner
from services.gateway.store import api_key, organisation, search_record, usage  # noqa: F401 - their tables belong to the metadata
from services.gateway.store.tables import SERVICE, TABLES
from services.gateway.upstreams import Prober, Services, make_guards
from shared.database import Database
from shared.http.service_app import ServiceContext, new_service_app, register
from shared.http.upstream import MountedUpstream, Upstream
from shared.rates import open_rates
from shared.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def create_app(settings: Settings, upstreams: Mapping[str, Upstream]) -> Gateway:
    """The gateway before these services, as a WSGI application. Its database is migrated beforehand."""
    app = new_service_app(SERVICE, settings, PROBLEMS, title="Zhigai accounts and search")
    database = Database.open(settings, SERVICE, MIGRATIONS)
    meter, guards, rates = Meter(), make_guards(settings), open_rates(settings)
    services = Services(settings, {**upstreams, SERVICE: MountedUpstream(app, SERVICE)}, guards)
    limits = Limits(
        anonymous=settings.anonymous_per_minute,
        anonymous_predict=settings.predict_anonymous_per_minute,
        key=settings.key_per_minute,
    )
    state = State(
        secret=settings.secret,
        limits=limits,
        rates=rates,
        meter=meter,
        guards=guards,
        methods_of=services.methods_of,
    )
    flusher = Flusher(database, meter)
    learner, records = Learner(services.lexicon), Records(database)
    prober = Prober(services, learner)
    refresher = Refresher(database, state, flusher, settings.home, records)
    context: ServiceContext = app.extensions["zhigai"]
    context.parts.update(
        database=database,
        tables=TABLES,
        gateway=Parts(settings, database, state, services, flusher, refresher, Merged(), learner, records),
    )
    for blueprint in (
        search.blueprint,
        search_records.blueprint,
        industries.blueprint,
        keys.blueprint,
        organisations.blueprint,
        organisations.users,
        me.blueprint,
    ):
        register(app, blueprint)
    app.register_blueprint(platform.blueprint)
    # Keys are there before the first call; with the database away the refresher goes on trying.
    refresher.turn()
    refresher.start()
    prober.start()
    context.closing += [database.close, rates.close, refresher.stop, prober.stop]
    return Gateway(app, state, services, context.problems, asked_by_proxy="models" in settings.upstreams)


def migrate(settings: Settings) -> None:
    database = Database.open(settings, SERVICE, MIGRATIONS)
    try:
        database.migrate()
    finally:
        database.close()
