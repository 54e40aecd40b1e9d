"""Problems as RFC 9457 says them: one table from class to type, status and sentence, in both languages.

The body also carries `error`, the detail once more, because clients of the Open Inference Protocol read that member.
An exception that is in no table becomes a 500 with a request id and none of its text.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared import errors
from shared.errors import Refused

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"


@dataclass(frozen=True)
class Row:
    """How one class of refusal is said. `detail` is a format template over the refusal's facts."""

    cls: type[Refused]
    type: str
    status: int
    title: Mapping[str, str]
    detail: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    def encoded(self) -> bytes:
        return orjson.dumps(self.body)


class ProblemTable:
    """Rows by class; a subclass without a row of its own takes its nearest ancestor's."""

    def __init__(self, *tables: Iterable[Row]) -> None:
        self._rows: dict[type[BaseException], Row] = {}
        for rows in tables:
            for row in rows:
                self._rows[row.cls] = row

    def row_of(self, refusal: BaseException) -> Row | None:
        for cls in type(refusal).__mro__:
            row = self._rows.get(cls)
            if row is not None:
                return row
        return None

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def problem(self, refusal: BaseException, *, language: str, request_id: str) -> Problem:
        row = self.row_of(refusal) or _INTERNAL
        facts = _facts(refusal, language) if row is not _INTERNAL else {}
        facts.setdefault("request_id", request_id)
        detail = _wording(row.detail, language, facts)
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + row.type,
            "title": row.title[language],
            "status": row.status,
            "detail": detail,
            "error": detail,
            "request_id": request_id,
        }
        by_path = getattr(refusal, "errors", None)
        if isinstance(by_path, dict) and by_path:
            body["errors"] = by_path
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
        headers.update({name: value.format(**facts) for name, value in row.headers.items()})
        return Problem(row.status, headers, body)


class _Lenient(string.Formatter):
    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(str(key), "?")


def _wording(templates: Mapping[str, str], language: str, facts: Mapping[str, Any]) -> str:
    return _Lenient().vformat(templates[language], (), facts)


def _facts(refusal: BaseException, language: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, value in vars(refusal).items():
        if name == "kind" and language == "zh":
            value = KINDS_ZH.get(value, value)
        if isinstance(value, (list, tuple, set, frozenset)):
            value = ", ".join(str(each) for each in value)
        elif isinstance(value, dict):
            value = "; ".join(f"{path}: {' '.join(map(str, said))}" for path, said in list(value.items())[:5])
        facts[name] = str(value)[:300] if isinstance(value, str) else value
    return facts


def _said(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


KINDS_ZH = {
    "solution": "方案", "provider": "服务商", "enquiry": "需求", "article": "知识条目", "term": "术语", "component": "组件",
    "release": "版本", "job": "任务", "rule": "规则", "key": "密钥", "organisation": "组织", "user": "用户", "blob": "文件",
    "dataset": "数据",
}  # fmt: skip
"""What a kind of row is called in a Chinese sentence."""

_RETRY = {"Retry-After": "{retry_after_s}"}

_INTERNAL = Row(
    Refused,
    "internal",
    500,
    _said("内部错误", "Internal error"),
    _said(
        "平台出错了，没有完成这次请求。请把编号 {request_id} 告诉平台管理员。",
        "The platform failed and did not complete this request. Please give request id {request_id} to the operator.",
    ),
)

PROBLEMS: list[Row] = [
    Row(
        errors.NotFound,
        "not-found",
        404,
        _said("没有找到", "Not found"),
        _said("没有名为「{id}」的{kind}，或您无权查看。", "There is no {kind} “{id}”, or you may not see it."),
    ),
    Row(
        errors.NoSuchPath,
        "no-such-path",
        404,
        _said("没有这个地址", "No such path"),
        _said("没有地址 {path}。可用的地址见 /docs。", "There is no path {path}. See /docs for those that exist."),
    ),
    Row(
        errors.MethodNotAllowed,
        "method-not-allowed",
        405,
        _said("方法不可用", "Method not allowed"),
        _said("此地址不接受 {method}，可用：{allowed}。", "This path does not take {method}; use {allowed}."),
        {"Allow": "{allowed}"},
    ),
    Row(
        errors.BadInput,
        "bad-input",
        422,
        _said("输入不合要求", "Input not acceptable"),
        _said("有字段不合要求：{errors}", "Some fields are not acceptable: {errors}"),
    ),
    Row(
        errors.MalformedJson,
        "malformed-json",
        400,
        _said("JSON 无法读取", "Malformed JSON"),
        _said("请求正文不是可用的 JSON：{reason} {where}", "The body is not usable JSON: {reason} {where}"),
    ),
    Row(
        errors.BodyCut,
        "body-cut",
        400,
        _said("正文不完整", "Body cut short"),
        _said(
            "正文应有 {expected_bytes} 字节，只收到 {received_bytes}。请重新发送。",
            "The body was announced with {expected_bytes} bytes and {received_bytes} arrived. Send it again.",
        ),
    ),
    Row(
        errors.BadRequest,
        "bad-request",
        400,
        _said("请求无法处理", "Bad request"),
        _said("{reason}", "{reason}"),
    ),
    Row(
        errors.UnsupportedMedia,
        "unsupported-media-type",
        415,
        _said("内容类型不支持", "Unsupported media type"),
        _said("收到「{given}」，请用 {wanted}。", "Got “{given}”; send {wanted}."),
    ),
    Row(
        errors.TooLarge,
        "too-large",
        413,
        _said("内容过大", "Too large"),
        _said("此处最多 {limit_bytes} 字节。", "At most {limit_bytes} bytes are taken here."),
    ),
    Row(
        errors.HeadersTooLarge,
        "headers-too-large",
        431,
        _said("标头过大", "Headers too large"),
        _said("标头最多 {limit_bytes} 字节。", "Headers of at most {limit_bytes} bytes are taken."),
    ),
    Row(
        errors.BodyTooSlow,
        "body-too-slow",
        408,
        _said("正文发送过慢", "Body too slow"),
        _said("正文没有在 {seconds} 秒内到齐。", "The body did not arrive within {seconds} s."),
    ),
    Row(
        errors.Unauthenticated,
        "unauthenticated",
        401,
        _said("需要密钥", "Key required"),
        _said(
            "没有可用的密钥（{reason}）。请用 Authorization: Bearer <密钥> 或 X-API-Key: <密钥>。",
            "No usable key ({reason}). Send Authorization: Bearer <key> or X-API-Key: <key>.",
        ),
        {"WWW-Authenticate": 'Bearer realm="zhigai"'},
    ),
    Row(
        errors.Forbidden,
        "forbidden",
        403,
        _said("没有权限", "Forbidden"),
        _said("需要权限：{needed}。", "This needs: {needed}."),
    ),
    Row(
        errors.Conflict,
        "conflict",
        409,
        _said("有冲突", "Conflict"),
        _said("{kind}「{id}」：{reason}", "{kind} “{id}”: {reason}"),
    ),
    Row(
        errors.PreconditionRequired,
        "precondition-required",
        428,
        _said("缺少版本", "Precondition required"),
        _said("修改须带 {header}，其值为读取时的 ETag。", "A change needs {header} with the ETag of the read."),
    ),
    Row(
        errors.VersionConflict,
        "version-conflict",
        412,
        _said("内容已被修改", "Changed meanwhile"),
        _said(
            "「{id}」当前版本是 {current}，您给的是 {given}。请重新读取后再改。",
            "“{id}” is at {current}, you gave {given}. Read it again before you change it.",
        ),
    ),
    Row(
        errors.IdempotencyMismatch,
        "idempotency-mismatch",
        422,
        _said("幂等键重复使用", "Idempotency key used for another request"),
        _said("Idempotency-Key「{key}」已用于另一个请求。", "Idempotency-Key “{key}” was used for another request."),
    ),
    Row(
        errors.IdempotencyInProgress,
        "idempotency-in-progress",
        409,
        _said("同一请求正在处理", "Same request in progress"),
        _said("带「{key}」的请求仍在处理，请稍后重试。", "The request with “{key}” is still in progress; try again."),
        _RETRY,
    ),
    Row(
        errors.RateLimited,
        "rate-limited",
        429,
        _said("请求过于频繁", "Too many requests"),
        _said(
            "每 {window_s} 秒最多 {limit} 次，请在 {retry_after_s} 秒后重试。",
            "At most {limit} calls in {window_s} s; try again in {retry_after_s} s.",
        ),
        _RETRY,
    ),
    Row(
        errors.Busy,
        "busy",
        503,
        _said("暂时繁忙", "Busy"),
        _said("{what} 暂时不可用，请在 {retry_after_s} 秒后重试。", "{what} is busy; try again in {retry_after_s} s."),
        _RETRY,
    ),
    Row(
        errors.DependencyDown,
        "dependency-down",
        503,
        _said("依赖的部件不可用", "A dependency is down"),
        _said(
            "{dependency} 暂时不可用，其他功能不受影响。请在 {retry_after_s} 秒后重试。",
            "{dependency} is down; the rest goes on. Try again in {retry_after_s} s.",
        ),
        _RETRY,
    ),
    Row(
        errors.UpstreamTimeout,
        "upstream-timeout",
        504,
        _said("等待超时", "Timed out"),
        _said("{upstream} 在 {seconds} 秒内没有回答。", "{upstream} did not answer within {seconds} s."),
    ),
]
