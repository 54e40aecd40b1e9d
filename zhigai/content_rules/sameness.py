"""Every entry says something of its own: no sentence twice, and no text that only changed the names of its machines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from zlib import crc32

from services.catalog.logic.solution_files import ReadSolution
from services.knowledge.logic.article_files import ReadArticle
from zhigai.content_rules.figures import KPIS, industry_words
from zhigai.content_rules.files import Content
from zhigai.content_rules.wording import blocks, sentences, told

LONGER_THAN = 20
"""Characters without spaces and punctuation from which a sentence may stand in one entry only."""
SHINGLE = 5
ALIKE = 0.5
SAMPLED = 8
"""Of so many shingles one is compared first, since most pairs are nothing like each other."""
ENOUGH_TO_TELL = 40
FIXED_PHRASES = (
    "认定为示范项目后可按市级条款申请补助",
    "版次会更新请核对现行版本",
    "以现行版本和客户合同为准",
    "数值为行业经验以本厂实测为准",
    "停机检修前断电挂牌上锁并验电确认",
)
"""What is said the same way wherever it is said, without spaces and punctuation; a sentence that holds one passes."""
_BARE = re.compile(r"[^\w%℃]+")


def check_sameness(content: Content) -> None:
    _check_sentences(content)
    strange = _names(content)
    alike = _alike(content, content.solutions, strange) | _alike(content, content.articles, strange)
    content.alike = frozenset(alike)


def _check_sentences(content: Content) -> None:
    entries: list[tuple[str, Path, Iterator[tuple[str, str]]]] = [
        *((each.id, each.path, told(each.content)) for each in content.solutions.values()),
        *((each.id, each.path, _told_by_article(each)) for each in content.articles.values()),
        *((each.path.as_posix(), each.path, told(each.content)) for each in content.starter_packs.values()),
        *((each.path.as_posix(), each.path, told(each.content)) for each in content.diagnoses.values()),
    ]
    first: dict[str, tuple[str, Path, str]] = {}
    for entry, file, texts in entries:
        for path, text in texts:
            for sentence in sentences(text):
                bare = _BARE.sub("", sentence)
                if len(bare) <= LONGER_THAN or any(phrase in bare for phrase in FIXED_PHRASES):
                    continue
                held = first.setdefault(bare, (entry, file, path))
                if held[0] != entry:
                    for one, place, other in ((file, path, held[1]), (held[1], held[2], file)):
                        content.find(one, place, "repeated", f"{other.stem} says so too: {sentence[:30]}")


def _told_by_article(article: ReadArticle) -> Iterator[tuple[str, str]]:
    yield from told(article.content)
    yield from blocks(article.text)


def _names(content: Content) -> re.Pattern[str]:
    """What is taken out before two entries are compared: names of industries, machines and process steps."""
    names = set(industry_words(content.root / KPIS)) | set(content.trade_words)
    for chain in content.chains.values():
        for step in chain.content["steps"]:
            names.update((step["zh"], *step["equipment"]))
    longest_first = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _alike(content: Content, entries: Mapping[str, ReadSolution | ReadArticle], strange: re.Pattern[str]) -> set[str]:
    """Ids of those that say nearly the same as an earlier one; both are found, the later one counts as none."""
    shingles = {name: _shingles(strange.sub("", _text(entry))) for name, entry in entries.items()}
    samples = {name: frozenset(each for each in whole if each % SAMPLED == 0) for name, whole in shingles.items()}
    found = set()
    for one, other in combinations(sorted(entries), 2):
        if _surely_different(samples[one], samples[other]):
            continue
        share = jaccard(shingles[one], shingles[other])
        if share > ALIKE:
            found.add(other)
            for here, there in ((one, other), (other, one)):
                said = f"without the names {share:.0%} the same as {there}: the two count as one"
                content.find(entries[here].path, "", "alike", said)
    return found


def _surely_different(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether samples large enough to tell have so little in common that the whole cannot be half the same."""
    small, large = sorted((len(one), len(other)))
    if small < ENOUGH_TO_TELL:
        return False
    common = len(one & other)
    return common / (small + large - common) < ALIKE / 2


def _text(entry: ReadSolution | ReadArticle) -> str:
    texts = _told_by_article(entry) if isinstance(entry, ReadArticle) else told(entry.content)
    return "\n".join(text for _, text in texts)


def _shingles(text: str) -> frozenset[int]:
    bare = _BARE.sub("", text)
    places = range(len(bare) - SHINGLE + 1)
    # A checksum and not hash(): the same text is to give the same sample in every run.
    return frozenset(crc32(bare[place : place + SHINGLE].encode()) for place in places)


def jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    """How much of both two sets have in common; 0 without counting where their sizes rule out a half."""
    small, large = sorted((len(one), len(other)))
    if large == 0 or small <= ALIKE * large:
        return 0.0
    common = len(one & other)
    return common / (small + large - common)
