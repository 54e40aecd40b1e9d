"""How the library's refusals are said."""

from __future__ import annotations

from services.models import errors
from shared.problems import Row

PROBLEMS: list[Row] = [
    Row(
        errors.UnknownRelease,
        "unknown-release",
        404,
        {"zh": "没有这个组件或版本", "en": "Unknown component or release"},
        {
            "zh": "没有组件「{component}」的版本「{release}」；可用：{known}。",
            "en": "There is no release “{release}” of component “{component}”; known: {known}.",
        },
    ),
    Row(
        errors.NotAModel,
        "not-a-model",
        400,
        {"zh": "这是工具，不是模型", "en": "A tool, not a model"},
        {
            "zh": "「{component}」是计算工具，请用 POST /api/v1/components/{component}/predict。",
            "en": "“{component}” is a tool; call POST /api/v1/components/{component}/predict.",
        },
    ),
    Row(
        errors.BadInstances,
        "bad-instances",
        422,
        {"zh": "输入不合要求", "en": "Input not acceptable"},
        {"zh": "有输入不合要求：{errors}", "en": "Some inputs are not acceptable: {errors}"},
    ),
    Row(
        errors.BadTensor,
        "bad-tensor",
        400,
        {"zh": "张量不合要求", "en": "Tensor not acceptable"},
        {"zh": "张量「{tensor}」：{reason}", "en": "Tensor “{tensor}”: {reason}"},
    ),
    Row(
        errors.ModelFailed,
        "model-failed",
        422,
        {"zh": "模型没有算出结果", "en": "The model gave no result"},
        {"zh": "「{component}」：{reason}", "en": "“{component}”: {reason}"},
    ),
    Row(
        errors.TooSlow,
        "model-too-slow",
        503,
        {"zh": "模型超时", "en": "The model took too long"},
        {
            "zh": "「{component}」在 {seconds} 秒内没有算完，已中止。",
            "en": "“{component}” did not finish within {seconds} s and was stopped.",
        },
        {"Retry-After": "{retry_after_s}"},
    ),
    Row(
        errors.NotInOrder,
        "component-not-in-order",
        422,
        {"zh": "组件检查未通过", "en": "Component check failed"},
        {"zh": "「{component}」：{findings}", "en": "“{component}”: {findings}"},
    ),
    Row(
        errors.ReleaseExists,
        "release-exists",
        409,
        {"zh": "版本已发布", "en": "Release exists"},
        {
            "zh": "「{component}」的版本 {release} 已发布，发布后不能更改；请用新的版本号。",
            "en": "Release {release} of “{component}” is published and never changes; use a new version.",
        },
    ),
]
