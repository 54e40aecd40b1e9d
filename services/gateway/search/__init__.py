"""The merged search: a query is understood once, here, asked of each service, and the answers become one list."""

from services.gateway.search.run import Wanted, run
from services.gateway.search.suggesting import suggest

__all__ = ["Wanted", "run", "suggest"]
