"""Markdown to HTML that cannot do harm: no raw HTML, then a sanitiser with fixed lists, and Chinese set right."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

_BLOCKS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr"}
_TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
_WORDS = {"a", "br", "code", "em", "s", "strong", "sub", "sup"}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_CELL_END = re.compile(r"</t[dh]>\s*")
_SCHEMES = {"http", "https", "mailto"}


def to_html(markdown: str) -> str:
    """The article's text as safe HTML."""
    return _cached(markdown)


def to_text(markdown: str) -> str:
    """The article's words without any markup, a line for each paragraph, item or row, for searching and for the excerpts
    of results."""
    bare = html.unescape(nh3.clean(_CELL_END.sub(" ", to_html(markdown)), tags=set()))
    return "\n".join(filter(None, (" ".join(line.split()) for line in bare.splitlines())))


@lru_cache(maxsize=512)
def _cached(markdown: str) -> str:
    return nh3.clean(
        _parser().render(markdown),
        tags=_BLOCKS | _TABLES | _WORDS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    rules = parser.inline
    parser.inline = _ChineseInline()
    parser.inline.ruler, parser.inline.ruler2 = rules.ruler, rules.ruler2
    parser.core.ruler.push("join_chinese_lines", _join_chinese_lines)
    return parser


class _ChineseState(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the library's names
        """As in CommonMark, but a Chinese character beside the markers counts like a space beside them.

        CommonMark leaves `**“节能”**改造` unbolded, since a quotation mark before the closing markers needs a space
        or punctuation after them, and Chinese writes none.
        """
        marker = self.src[start]
        end = start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < self.posMax else " "
        open_before = isWhiteSpace(ord(before)) or _is_punctuation(before)
        open_after = isWhiteSpace(ord(after)) or _is_punctuation(after)
        left = not isWhiteSpace(ord(after)) and (not _is_punctuation(after) or open_before or is_chinese(before))
        right = not isWhiteSpace(ord(before)) and (not _is_punctuation(before) or open_after or is_chinese(after))
        opens = left and (canSplitWord or not right or _is_punctuation(before))
        closes = right and (canSplitWord or not left or _is_punctuation(after))
        return Scanned(opens, closes, end - start)


class _ChineseInline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _ChineseState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _join_chinese_lines(state: StateCore) -> None:
    """A line break inside a Chinese paragraph is no space: browsers would show one."""
    for token in state.tokens:
        children = token.children or []
        for place, child in enumerate(children):
            if child.type != "softbreak":
                continue
            before = next((each.content for each in reversed(children[:place]) if each.content), "")
            after = next((each.content for each in children[place + 1 :] if each.content), "")
            if before and after and is_chinese(before[-1]) and is_chinese(after[0]):
                child.type, child.content = "text", ""


def is_chinese(character: str) -> bool:
    """Han characters and the full-width forms and punctuation that are written with them."""
    return unicodedata.east_asian_width(character) in ("W", "F")


def _is_punctuation(character: str) -> bool:
    return bool(isMdAsciiPunct(ord(character)) or isPunctChar(character))
