"""The vocabulary as the query steps use it: look-ups by name, by slip and by sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from shared import vocabulary
from shared.search import analysis
from shared.vocabulary import Term

QUESTION_WORDS = frozenset(
    [
        "怎么",
        "怎么办",
        "怎样",
        "如何",
        "为什么",
        "什么",
        "哪个",
        "哪些",
        "哪里",
        "多少",
        "是否",
        "可以",
        "能不能",
        "有没有",
        "太高",
        "太大",
        "太低",
        "太慢",
        "经常",
        "总是",
        "老是",
        "一直",
        "请问",
        "想要",
        "需要",
    ]
)
"""Never taken for slips and never searched for by themselves."""


@dataclass(frozen=True)
class Words:
    by_name: dict[str, tuple[Term, ...]]
    by_variant: dict[str, Term]
    by_sound: dict[tuple[str, ...], tuple[str, ...]]
    """Syllables of Han names of two or more characters -> the names."""
    longest: int
    never_merge: frozenset[frozenset[str]]

    def knows(self, word: str) -> bool:
        return word in self.by_name


@cache
def load() -> Words:
    shipped = vocabulary.load()
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
    never = frozenset(frozenset(analysis.normalise(each) for each in pair) for pair in shipped.never_merge)
    longest = max(len(name) for name in (*by_name, *by_variant))
    return Words(by_name, by_variant, by_sound, longest, never)
