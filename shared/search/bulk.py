"""Tokens of many documents: analysis is the slow part of building an index, so large builds analyse in two processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor

from shared.search.port import Document, text_fields

Analysed = tuple[Document, Mapping[str, str]]

FEW = 5_000
"""Up to so many documents another process would take longer to start than to help."""
CHUNK = 500
MOST_PROCESSES = 8


def analysed(documents: Iterable[Document], processes: int | None = None) -> Iterator[Analysed]:
    """Each document with its tokens by field, in the order given.

    `processes` is how many analyse when there are more than `FEW` documents; by default one for each processor.
    """
    waiting = iter(documents)
    first = list(itertools.islice(waiting, FEW + 1))
    processes = min(processes or os.cpu_count() or 1, MOST_PROCESSES)
    if len(first) <= FEW or processes < 2:
        for document in itertools.chain(first, waiting):
            yield document, text_fields(document)
        return
    yield from _in_processes(itertools.chain(first, waiting), processes)


def _in_processes(documents: Iterator[Document], processes: int) -> Iterator[Analysed]:
    pending: deque[tuple[list[Document], Future[list[Mapping[str, str]]]]] = deque()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        while chunk := list(itertools.islice(documents, CHUNK)):
            pending.append((chunk, pool.submit(_fields_of, chunk)))
            if len(pending) > 2 * processes:
                yield from _done(*pending.popleft())
        while pending:
            yield from _done(*pending.popleft())


def _done(chunk: list[Document], future: Future[list[Mapping[str, str]]]) -> Iterator[Analysed]:
    return zip(chunk, future.result(), strict=True)


def _fields_of(chunk: list[Document]) -> list[Mapping[str, str]]:
    return [text_fields(document) for document in chunk]
