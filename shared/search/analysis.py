"""Text to tokens, once, for both engines and for index and query alike.

NFKC, lower case, traditional to simplified; words by the jieba algorithm with the trade's own words added; bigrams and
single characters of Han runs as the safety net; the sound of words for what people type by ear. English words, numbers
with units and part codes (`cpk`, `m16`, `10.9级`) stay whole.
"""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import add

import rjieba
from opencc import OpenCC

from shared import vocabulary

ANALYSIS_VERSION = "6"
HAN = re.compile(r"[㐀-䶿一-鿿]+")
_CODE = re.compile(r"[a-z0-9]+(?:[.\-/+#][a-z0-9]+)*(?:级|号|%|℃|°c)?")
_RUN = re.compile(rf"{HAN.pattern}|{_CODE.pattern}")
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\uf8ff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
)
"""Control, format, surrogate and private characters: none of them is part of a word."""


@dataclass(frozen=True)
class Token:
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Tokens:
    words: tuple[str, ...]
    bigrams: tuple[str, ...]
    unigrams: tuple[str, ...]


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


@cache
def segmenter() -> rjieba.Jieba:
    """The segmenter with every name of the vocabulary as a word."""
    jieba = rjieba.Jieba()
    for term in vocabulary.load().terms:
        for name in term.names:
            plain = normalise(name)
            if HAN.fullmatch(plain) and len(plain) > 1 and not jieba.has_word(plain):
                jieba.add_word(plain, 2000, None)
    return jieba


def normalise(text: str) -> str:
    """NFKC, lower case, simplified characters, control characters as spaces."""
    plain = _CONTROL.sub(" ", unicodedata.normalize("NFKC", text).lower())
    return plain if plain.isascii() else _simplifier().convert(plain)


def words_of(plain: str) -> list[Token]:
    """Words of normalised text with their places. A long word also gives the words inside it (search mode)."""
    found: list[Token] = []
    for run in _RUN.finditer(plain):
        if HAN.match(run.group()):
            for text, start, end in segmenter().tokenize(run.group(), "search"):
                found.append(Token(text, run.start() + start, run.start() + end))
        else:
            found.append(Token(run.group(), run.start(), run.end()))
    return found


def bigrams_of(plain: str) -> list[str]:
    found: list[str] = []
    for run in HAN.finditer(plain):
        text = run.group()
        found += [text[place : place + 2] for place in range(len(text) - 1)]
    return found


def analyse(text: str) -> Tokens:
    """All tokens of a text; order and repetitions kept, since both engines count them."""
    words: list[str] = []
    bigrams: list[str] = []
    unigrams: list[str] = []
    cut = segmenter().cut_for_search
    for run in _RUN.findall(normalise(text)):
        if run[0] < "\u3400":
            words.append(run)
            continue
        words += cut(run)
        unigrams += run
        bigrams += map(add, run, run[1:])
    return Tokens(tuple(words), tuple(bigrams), tuple(unigrams))


def sounds_of(words: Iterable[str]) -> list[str]:
    """For each Han word of two or more characters its pinyin in one piece and its initials: kongyaji, kyj."""
    return [sound for word in words for sound in _sounds(word)]


@lru_cache(maxsize=20_000)
def _sounds(word: str) -> tuple[str, ...]:
    if len(word) < 2 or not HAN.fullmatch(word):
        return ()
    syllables = pinyin(word)
    return "".join(syllables), "".join(syllable[0] for syllable in syllables)


@lru_cache(maxsize=20_000)
def pinyin(word: str) -> tuple[str, ...]:
    """One syllable a character, without tones."""
    # Phrases would cost 40 MB; single characters are enough for the sound of a trade word.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import lazy_pinyin

    return tuple(syllable for syllable in lazy_pinyin(word) if syllable)


MOST_READINGS = 8


def readings(word: str) -> tuple[tuple[str, ...], ...]:
    """All ways to read a word, one syllable a character; of a word with very many the first few."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style
    from pypinyin import pinyin as all_pinyin

    each = all_pinyin(word, style=Style.NORMAL, heteronym=True)
    found = itertools.islice(itertools.product(*(dict.fromkeys(some) for some in each)), MOST_READINGS)
    return tuple(dict.fromkeys((pinyin(word), *found)))


def version() -> str:
    """Changes whenever index and query tokens would no longer agree."""
    return f"{ANALYSIS_VERSION}-{vocabulary.load().version}"
