"""What content may say: which standards it may name, when it may name an amount of money, what never belongs in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import marshmallow as ma

from shared import safe_yaml
from shared.fields import INDUSTRIES, STATUSES

_PREFIXES = (
    r"GB/T|GBZ|GB|HJ|FZ/T|CJ/T|JG/T|QB/T|JB/T|HG/T|SJ/T|YB/T|LY/T|QC/T|DB\d{2}(?:\d{2})?(?:/T)?(?!\d)|ISO(?:/[A-Z]+)?|IEC|"
    r"IPC/JEDEC J-STD|IPC J-STD|J-STD|IPC|IATF|VDA|VDI|ASTM|ANSI(?:/ESD)?|CQI|DIN|JIS|CIE(?= ?\d)"
)
_NUMBER = re.compile(rf"(?<![A-Za-z/])({_PREFIXES})[ -]?([A-Z]?-?[A-Z]?\d[\d.]*(?:-[A-Z]?\d+)*(?::\d{{4}})?)")
_EDITION = re.compile(r"[-:](?:19|20)\d\d$")
_MONEY = re.compile(r"\d[\d,]*(?:\.\d+)?\s*(?:[～~—-]\s*\d[\d,.]*\s*)?(?:多|余|来)?(?:个)?[亿万千百]*元")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SOURCE = re.compile(r"来源|出处|《|计划|公告|公报|标准")
_HTML = re.compile(r"<[A-Za-z/!][^>\n]*>")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_FORBIDDEN = re.compile(
    r"https?://[^\s/]*(?:pypi|pythonhosted|npmjs|registry|docker\.io|ghcr|quay\.io|maven|proxy\.golang|mirror)[^\s]*|"
    r"(?<![\w.])/(?:work|root|home|tmp)/[^\s]*|赋能|抓手|形成闭环|闭环管理|业务闭环",
    re.IGNORECASE,
)


class _Standard(ma.Schema):
    number = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    industries = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf((*INDUSTRIES, "all"))), required=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(STATUSES))
    also = ma.fields.List(ma.fields.String(), load_default=list)


@dataclass(frozen=True)
class Standards:
    """The numbers that content may name; an edition's year after an allowed number is the reader's to check."""

    exact: frozenset[str]
    series: frozenset[str]

    @classmethod
    def read(cls, file: Path) -> Standards:
        raw = safe_yaml.loads(file.read_text(encoding="utf-8"))["standards"]
        entries = _Standard(many=True, unknown=ma.RAISE).load(raw)
        names = [name for each in entries for name in (each["number"], *each["also"])]
        series = [each["number"] for each in entries if "系列" in each["title"]]
        return cls(frozenset(map(_plain, names)), frozenset(map(_plain, series)))

    def allows(self, number: str) -> bool:
        plain = _plain(number)
        return plain in self.exact or any(plain.startswith((f"{each}.", f"{each}-")) for each in self.series)

    @staticmethod
    def named_in(text: str) -> Iterator[str]:
        """Everything in a text that reads like the number of a standard."""
        for found in _NUMBER.finditer(text):
            yield f"{found[1]} {found[2]}".rstrip(".")


def money_without_source(text: str) -> list[str]:
    """Amounts in a text that neither calls them an estimate nor names a source and a year."""
    if "估算" in text or (_YEAR.search(text) and _SOURCE.search(text)):
        return []
    return [found.group() for found in _MONEY.finditer(text)]


def raw_html(markdown: str) -> list[str]:
    return [found.group()[:60] for found in _HTML.finditer(_CODE.sub("", markdown))]


def forbidden_words(text: str) -> list[str]:
    """Addresses of package registries, paths of a machine, and words that say nothing."""
    return [found.group()[:80] for found in _FORBIDDEN.finditer(text)]


def _plain(number: str) -> str:
    """`GB/T2589-2020` and `GB/T 2589` are one number; `IPC-A-610` and `IPC A-610` too."""
    text = _EDITION.sub("", number.strip())
    return re.sub(r"[\s-]+", "-", re.sub(rf"^({_PREFIXES})[\s-]*", r"\1 ", text))
