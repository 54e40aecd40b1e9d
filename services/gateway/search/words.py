"""The vocabulary as the query steps use it: look-ups by name, by slip and by sound, and what each word costs."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from shared import vocabulary
from shared.search import analysis
from shared.search.port import Lexicon
from shared.vocabulary import Term

QUESTION_WORDS = frozenset(
    ["怎么", "怎么办", "怎样", "如何", "为什么", "什么", "哪个", "哪些", "哪里", "哪儿", "哪家", "多少", "多久", "几个", "几家", "是否", "可以", "能不能", "有没有", "要不要", "是不是", "行不行", "太高", "太大", "太低", "太慢", "太多", "太少", "经常", "总是", "老是", "一直", "请问", "想要", "需要", "到底", "究竟", "不知道", "我们", "我家", "他们", "这个", "那个", "这次", "一下", "有什么", "是什么", "怎么样", "咋办", "咋回事", "怎么回事"]
)  # fmt: skip
"""Never taken for slips and never searched for by themselves."""

GENERAL_TOTAL = 60_000_000.0
"""Occurrences behind the segmenter's own dictionary."""
CORPUS_SHARE = 0.6
TERM_COUNT = 3
"""A name of the vocabulary counts as seen so often at least, whether or not the corpus has it yet."""
HEARD_COUNT = 2
"""How often the corpus must have a word before a slip is taken for it."""


@dataclass(frozen=True)
class Words:
    by_name: Mapping[str, tuple[Term, ...]]
    by_variant: Mapping[str, Term]
    by_sound: Mapping[tuple[str, ...], tuple[str, ...]]
    """Syllables of Han names of two or more characters -> the names."""
    by_ear: Mapping[tuple[str, ...], tuple[str, ...]]
    """Like `by_sound` with the corpus's words, and with what people mix up (z/zh, n/ng, l/n) folded together."""
    longest: int
    never_merge: frozenset[frozenset[str]]
    counts: Mapping[str, int]
    """Words of the corpus, with how often it has them."""
    total: float
    pairs: Mapping[str, int]
    """Pairs of characters of the corpus."""
    firsts: Mapping[str, int]
    """How often a character begins a pair."""
    written_sounds: frozenset[str]
    """Names as pinyin in one piece and as initials: kongyaji, kyj."""

    def knows(self, word: str) -> bool:
        return word in self.by_name

    def cost(self, word: str) -> float | None:
        """-log of how likely a word is, in the corpus and in the language; None for what is no word at all."""
        count = self.counts.get(word, 0)
        general = general_frequency(word)
        if not count and not general:
            return None
        return -math.log(CORPUS_SHARE * count / self.total + (1 - CORPUS_SHARE) * general / GENERAL_TOTAL)

    def surprise(self, text: str) -> float:
        """-log of how likely the corpus writes these Han characters one after another."""
        found = 0.0
        everything = self.total
        for one, other in itertools.pairwise(text):
            seen = self.firsts.get(one, 0)
            alone = (self.firsts.get(other, 0) + 0.5) / (everything + 5000)
            together = self.pairs.get(one + other, 0) / seen if seen else 0.0
            found -= math.log(0.8 * together + 0.2 * alone)
        return found


@cache
def general_frequency(word: str) -> float:
    """How often the language has a word, on the scale of `GENERAL_TOTAL`; 0 when it is none."""
    segmenter = analysis.segmenter()
    return float(segmenter.suggest_freq(word)) if segmenter.has_word(word) else 0.0


@cache
def load() -> Words:
    """What ships: the terms alone, as long as no service has said how its texts write."""
    return learnt(())


def learnt(lexicons: Iterable[Lexicon]) -> Words:
    """The vocabulary together with the words and pairs of the services' indexes."""
    shipped = vocabulary.load()
    by_name, by_variant, by_sound = _names(shipped)
    counts: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for lexicon in lexicons:
        counts.update(lexicon.words)
        pairs.update(lexicon.bigrams)
    for name in by_name:
        counts[name] = max(counts[name], TERM_COUNT)
        for pair in analysis.bigrams_of(name):
            pairs[pair] = max(pairs[pair], TERM_COUNT)
    firsts: Counter[str] = Counter()
    for pair, count in pairs.items():
        firsts[pair[0]] += count
    never = frozenset(frozenset(analysis.normalise(each) for each in pair) for pair in shipped.never_merge)
    longest = max(len(name) for name in (*by_name, *by_variant))
    total = float(max(counts.total(), 1))
    by_ear = _by_ear(counts, by_name)
    written = frozenset(text for sound in by_sound for text in ("".join(sound), "".join(each[0] for each in sound)))
    return Words(by_name, by_variant, by_sound, by_ear, longest, never, counts, total, pairs, firsts, written)


def folded(syllables: tuple[str, ...]) -> tuple[str, ...]:
    """Syllables with what speakers of many dialects do not tell apart folded: z/zh, c/ch, s/sh, n/ng, l/n, f/h."""
    return tuple(_folded(each) for each in syllables)


@cache
def _folded(syllable: str) -> str:
    plain = syllable
    for wide, narrow in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if plain.startswith(wide):
            plain = narrow + plain[2:]
    if plain.startswith("l"):
        plain = "n" + plain[1:]
    return plain.removesuffix("g") if plain.endswith("ng") else plain


def _names(
    shipped: vocabulary.Vocabulary,
) -> tuple[dict[str, tuple[Term, ...]], dict[str, Term], dict[tuple[str, ...], tuple[str, ...]]]:
    by_name: dict[str, tuple[Term, ...]] = {}
    by_variant: dict[str, Term] = {}
    by_sound: dict[tuple[str, ...], tuple[str, ...]] = {}
    for term in shipped.terms:
        for name in dict.fromkeys(analysis.normalise(each) for each in term.names):
            by_name[name] = (*by_name.get(name, ()), term)
            if len(name) > 1 and analysis.HAN.fullmatch(name):
                sound = analysis.pinyin(name)
                by_sound[sound] = tuple(dict.fromkeys((*by_sound.get(sound, ()), name)))
    for term in shipped.terms:
        for variant in term.variants:
            plain = analysis.normalise(variant)
            if plain not in by_name and plain != analysis.normalise(term.zh):
                by_variant.setdefault(plain, term)
    return by_name, by_variant, by_sound


def _by_ear(counts: Mapping[str, int], names: Container[str]) -> dict[tuple[str, ...], tuple[str, ...]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for word, count in counts.items():
        if count >= HEARD_COUNT and 2 <= len(word) <= 6 and analysis.HAN.fullmatch(word):
            # The trade's own names are found by every reading of their characters: 镦 is heard as dun and as dui.
            for sound in analysis.readings(word) if word in names else (analysis.pinyin(word),):
                found.setdefault(folded(sound), set()).add(word)
    return {sound: tuple(sorted(words)) for sound, words in found.items()}
