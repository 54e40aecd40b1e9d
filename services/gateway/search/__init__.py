"""The merged search: a query is understood once, here, asked of each service, and the answers become one list."""

from services.gateway.search.run import run, suggest

__all__ = ["run", "suggest"]
