"""Sentence models for search: a port of one method, and its adapter for ONNX files in a folder of the operator's.

No model ships. What one adds is weighed into the lexical score of the first hits only, so that a weak model cannot bury
what the words found; `zhigai search eval` says whether it gains.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

from shared.search import analysis

LONGEST = 256
"""Tokens of a text that a model sees."""
AT_ONCE = 16


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """Another model has another name; an index built with another name is built anew."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """One vector of length 1 for each text (all zeros for a text without a token)."""
        ...


class BadModel(ValueError):
    """The folder does not hold a sentence model that can be used; says what is missing."""


class OnnxEmbedder:
    """`model.onnx` (input_ids and attention_mask in; vectors of tokens, or one of the text, out) and `vocab.txt`.

    Vectors of tokens are averaged over the text. Loaded at the first use, since most processes never search.
    """

    def __init__(self, folder: Path) -> None:
        self._model, vocabulary = folder / "model.onnx", folder / "vocab.txt"
        for path in (self._model, vocabulary):
            if not path.is_file():
                raise BadModel(f"{path.name} is missing in the folder of the sentence model")
        self._tokens = {token: number for number, token in enumerate(vocabulary.read_text("utf-8").splitlines())}
        for needed in ("[CLS]", "[SEP]", "[UNK]", "[PAD]"):
            if needed not in self._tokens:
                raise BadModel(f"vocab.txt lacks {needed}")
        self._one = lru_cache(maxsize=2048)(self._embedded)

    @cached_property
    def name(self) -> str:
        return hashlib.sha256(self._model.read_bytes()).hexdigest()[:8]

    @cached_property
    def dimension(self) -> int:
        return len(self.embed(["长度"])[0])

    def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        if len(texts) == 1:
            return [self._one(texts[0])]
        found: list[tuple[float, ...]] = []
        for start in range(0, len(texts), AT_ONCE):
            found += self._vectors(texts[start : start + AT_ONCE])
        return found

    def _embedded(self, text: str) -> tuple[float, ...]:
        return self._vectors([text])[0]

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            return onnxruntime.InferenceSession(str(self._model), options, providers=["CPUExecutionProvider"])
        except Exception as wrong:
            raise BadModel(f"model.onnx cannot be loaded: {type(wrong).__name__}") from wrong

    def _vectors(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        import numpy

        rows = [self._ids(text) for text in texts]
        width = max(len(row) for row in rows)
        ids = numpy.full((len(rows), width), self._tokens["[PAD]"], dtype=numpy.int64)
        mask = numpy.zeros((len(rows), width), dtype=numpy.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        wanted = {each.name for each in self._session.get_inputs()}
        found = self._session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
        if found.ndim == 3:
            shares = mask[:, :, None].astype(found.dtype)
            found = (found * shares).sum(axis=1) / shares.sum(axis=1)
        return [_of_length_one(row) for row in found.astype("float64").tolist()]

    def _ids(self, text: str) -> list[int]:
        pieces = [self._tokens.get(piece, self._tokens["[UNK]"]) for piece in self._pieces(analysis.normalise(text))]
        return [self._tokens["[CLS]"], *pieces[: LONGEST - 2], self._tokens["[SEP]"]]

    def _pieces(self, plain: str) -> Iterator[str]:
        """WordPiece: Han characters and punctuation by themselves, other words by their longest known beginnings."""
        for word in _words(plain):
            start = 0
            while start < len(word):
                end = len(word)
                mark = "##" if start else ""
                while end > start + 1 and mark + word[start:end] not in self._tokens:
                    end -= 1
                yield mark + word[start:end]
                start = end


def _words(plain: str) -> Iterator[str]:
    word = ""
    for char in plain:
        alone = bool(analysis.HAN.match(char)) or unicodedata.category(char)[0] in "PS"
        if word and (alone or char.isspace()):
            yield word
            word = ""
        if alone:
            yield char
        elif not char.isspace():
            word += char
    if word:
        yield word


def _of_length_one(row: Sequence[float]) -> tuple[float, ...]:
    length = math.sqrt(sum(value * value for value in row))
    return tuple(round(value / length, 6) for value in row) if length else tuple(row)


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))
