"""Values that cross every boundary: ids, yuan, localised text. One class reads JSON, a CSV column and an option."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import marshmallow as ma

SERVICE_PREFIX = {
    "gateway": "gtw",
    "catalog": "cat",
    "knowledge": "kno",
    "models": "mod",
    "programme": "prg",
    "portal": "ptl",
}
SERVICE_OF_PREFIX = {prefix: service for service, prefix in SERVICE_PREFIX.items()}
INDUSTRIES = (
    "auto_parts",
    "electronics",
    "smart_home",
    "textile",
    "apparel",
    "chem_fibre",
    "dyeing",
    "paper",
    "wood",
    "fastener",
)
DIRECTIONS = ("equipment", "line", "workshop", "factory", "platform")
STATUSES = ("sourced", "experience", "unverified")
LANGUAGES = ("zh", "en")
MAX_YUAN = Decimal("1000000000000")

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_GENERATED = re.compile(r"^(?P<prefix>[a-z]{3})-(?P<kind>[a-z]+)-[0-9a-hjkmnp-tv-z]{26}$")


def new_id(service: str, kind: str) -> str:
    """A sortable id such as `mod-job-01j…`: service prefix, kind, 48 bits of milliseconds and 80 random bits."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    digits = []
    for _ in range(26):
        number, rest = divmod(number, 32)
        digits.append(_BASE32[rest])
    return f"{SERVICE_PREFIX[service]}-{kind}-{''.join(reversed(digits))}"


def service_of(generated_id: str) -> str | None:
    """The service that made this id, or None when it is no generated id."""
    match = _GENERATED.match(generated_id)
    return SERVICE_OF_PREFIX.get(match["prefix"]) if match else None


def localised(text: Mapping[str, str] | str | None, language: str) -> str:
    """The wording in `language`, else Chinese, else whatever there is: a reader is never shown an empty line."""
    if text is None:
        return ""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("zh") or next((value for value in text.values() if value), "")


def language_of(accept_language: str | None, choice: str | None = None) -> str:
    """`choice` (a `lang` parameter or cookie) wins; then the first language of Accept-Language that we speak; else zh."""
    if choice in LANGUAGES:
        return str(choice)
    for part in (accept_language or "").lower().split(","):
        tag = part.split(";")[0].strip()[:2]
        if tag in LANGUAGES:
            return tag
    return "zh"


def yuan_text(amount: Decimal) -> str:
    """Yuan as the API writes it: plain decimal digits with two places, never an exponent."""
    return f"{amount.quantize(Decimal('0.01')):f}"


class Yuan(ma.fields.Field[Decimal]):
    """An amount of money in yuan: a JSON number or decimal string in, Decimal inside, a decimal string out."""

    default_error_messages = {  # noqa: RUF012 - marshmallow declares it so
        "invalid": "不是金额 / not an amount of yuan: {value}",
        "negative": "金额不能小于 {minimum} 元 / must be at least {minimum} yuan",
        "too_large": "金额超过 {maximum} 元 / must be at most {maximum} yuan",
        "places": "金额最多两位小数 / at most two decimal places: {value}",
    }

    def __init__(self, *, minimum: Decimal | int = 0, maximum: Decimal | int = MAX_YUAN, **kwargs: Any) -> None:
        metadata = {"type": "string", "format": "decimal", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self.minimum, self.maximum = Decimal(minimum), Decimal(maximum)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
            raise self.make_error("invalid", value=str(value)[:40])
        text = str(value).strip()
        try:
            amount = Decimal(text) if len(text) <= 40 else None
        except InvalidOperation:
            amount = None
        if amount is None or not amount.is_finite():
            raise self.make_error("invalid", value=text[:40])
        if amount < self.minimum:
            raise self.make_error("negative", minimum=self.minimum)
        if amount > self.maximum:
            raise self.make_error("too_large", maximum=self.maximum)
        if amount != amount.quantize(Decimal("0.01")):
            raise self.make_error("places", value=text[:40])
        return amount

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else yuan_text(value)


class Sentence(ma.fields.String):
    """A line of human text: stripped, 1 to `maximum` characters."""

    def __init__(self, *, maximum: int = 2000, minimum: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=ma.validate.Length(min=minimum, max=maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


class OneOf(ma.fields.String):
    """One of a fixed list; the refusal names the list."""

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        allowed = ", ".join(choices)
        validator = ma.validate.OneOf(
            choices, error=f"未知取值「{{input}}」，可用 / unknown value, use one of: {allowed}"
        )
        super().__init__(validate=validator, **kwargs)


def Industry(**kwargs: Any) -> OneOf:  # noqa: N802 - reads as a field class where schemas are written
    return OneOf(INDUSTRIES, **kwargs)


def Direction(**kwargs: Any) -> OneOf:  # noqa: N802
    return OneOf(DIRECTIONS, **kwargs)


class Said(ma.fields.List[str]):
    """How people put what an entry is about: up to eight lines in their own words, for search and for the reader."""

    def __init__(self, **kwargs: Any) -> None:
        line = ma.fields.String(validate=ma.validate.Length(min=4, max=60))
        super().__init__(line, validate=ma.validate.Length(min=1, max=8), **kwargs)


class PageArguments(ma.Schema):
    """`page` from 1 and `size` to 100, as every list takes them."""

    class Meta:
        unknown = ma.RAISE

    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(min=1, max=10_000))
    size = ma.fields.Integer(load_default=20, validate=ma.validate.Range(min=1, max=100))
    lang = OneOf(LANGUAGES, load_default=None, allow_none=True)


def name_filter(**kwargs: Any) -> ma.fields.String:
    """A filter by the id of something of another service: checked for its form only."""
    error = "只能有字母、数字、点、下划线和连字符 / letters, digits, dots, underscores and hyphens only"
    return ma.fields.String(validate=ma.validate.Regexp(r"^[A-Za-z0-9_.-]{1,120}$", error=error), **kwargs)


def names_filter(**kwargs: Any) -> ma.fields.String:
    """Several such ids, with commas between them."""
    error = "最多 100 个编号，用逗号隔开 / up to 100 ids with commas between them"
    return ma.fields.String(
        validate=ma.validate.Regexp(r"^[A-Za-z0-9_.-]{1,120}(,[A-Za-z0-9_.-]{1,120}){0,99}$", error=error), **kwargs
    )
