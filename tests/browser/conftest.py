from tests.e2e.conftest import distributed, embedded, platform

__all__ = ["distributed", "embedded", "platform"]
