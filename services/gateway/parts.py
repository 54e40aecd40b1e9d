"""What the gateway's views share, made once by `create_app`."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.logic.search_records import Records
from services.gateway.logic.usage import Flusher
from services.gateway.openapi import Merged
from services.gateway.policy.state import State
from services.gateway.refresh import Refresher
from services.gateway.search.learning import Learner
from services.gateway.upstreams import Services
from shared.database import Database
from shared.http.service_app import context
from shared.settings import Settings


@dataclass(frozen=True)
class Parts:
    settings: Settings
    database: Database
    state: State
    services: Services
    flusher: Flusher
    refresher: Refresher
    merged: Merged
    learner: Learner
    records: Records


def parts() -> Parts:
    found: Parts = context().parts["gateway"]
    return found
