"""The gateway's vocabulary, kept up to date with what the services' indexes hold. Queries never wait for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from services.gateway.search import words
from services.gateway.search.asking import SERVICES
from services.gateway.search.words import Words
from shared.errors import Refused
from shared.search.port import Lexicon

log = logging.getLogger(__name__)

Fetch = Callable[[str, str], Mapping[str, Any]]
"""`(service, version that is had)` -> the answer of its `/internal/lexicon`. Raises `Refused` when it is away."""


class Learner:
    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lexicons: dict[str, Lexicon] = {}
        self._words: Words | None = None

    @property
    def words(self) -> Words:
        """The vocabulary as it is known now; the shipped terms until a service has answered."""
        return self._words or words.load()

    @property
    def is_complete(self) -> bool:
        """Whether every service has said what its index holds; until then it is worth asking again soon."""
        return all(service in self._lexicons for service in SERVICES)

    def look(self) -> bool:
        """Asks each service once; whether anything was new. A service that is away keeps what it said before."""
        news = [service for service in SERVICES if self._look_at(service)]
        if news:
            self._words = words.learnt(self._lexicons.values())
            log.info("the vocabulary follows %s", ", ".join(news))
        return bool(news)

    def _look_at(self, service: str) -> bool:
        have = self._lexicons.get(service, Lexicon("")).version
        try:
            found = self._fetch(service, have)
        except Refused:
            return False
        if found.get("version", "") == have or "words" not in found:
            return False
        self._lexicons[service] = Lexicon(str(found["version"]), dict(found["words"]), dict(found["bigrams"]))
        return True
