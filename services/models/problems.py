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
        {"zh": "不是平台计算的模型", "en": "Not a model computed here"},
        {
            "zh": "「{component}」是计算工具或服务商自己的服务，请用 POST /api/v1/components/{component}/predict。",
            "en": "“{component}” is a tool or a provider's own service; call POST /api/v1/components/{component}/predict.",
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
    Row(
        errors.CannotTrain,
        "cannot-train",
        422,
        {"zh": "这张表不能训练", "en": "Nothing can be trained from this table"},
        {"zh": "列「{column}」：{reason_zh}", "en": "Column “{column}”: {reason_en}"},
    ),
    Row(
        errors.DoesNotBeatNaive,
        "does-not-beat-naive",
        422,
        {"zh": "没有胜过简单规则", "en": "Does not beat the naive rule"},
        {
            "zh": "在没有见过的 {rows} 行上，模型的{metric}为 {model}，简单规则（{rule_zh}）为 {naive}；"
            "差值的区间是 {low} 到 {high}，没有好到超出偶然。不发布。{advice_zh}",
            "en": "On {rows} unseen rows the model's {metric} is {model}, that of the simple rule ({rule_en}) {naive}; "
            "the interval of the difference is {low} to {high}, no better than chance. Not published. {advice_en}",
        },
    ),
    Row(
        errors.UnreadableTable,
        "unreadable-table",
        422,
        {"zh": "文件无法读取", "en": "The file cannot be read"},
        {"zh": "{reason}", "en": "{reason}"},
    ),
    Row(
        errors.DatasetNotReady,
        "dataset-not-ready",
        409,
        {"zh": "数据还没有读好", "en": "Dataset not ready"},
        {
            "zh": "数据「{id}」的状态是 {state}，读好（ready）之后才能使用。",
            "en": "Dataset “{id}” is {state}; it can be used once it is ready.",
        },
    ),
    Row(
        errors.TooManyDatasets,
        "too-many-datasets",
        409,
        {"zh": "数据份数已满", "en": "Too many datasets"},
        {
            "zh": "最多保存 {limit} 份数据，请先删除不用的。",
            "en": "At most {limit} datasets are kept; delete some first.",
        },
    ),
    Row(
        errors.TooManyTrainings,
        "too-many-trainings",
        409,
        {"zh": "训练任务过多", "en": "Too many trainings"},
        {
            "zh": "同时最多 {limit} 个未完成的训练或预测任务，请等其中一个结束或取消它。",
            "en": "At most {limit} trainings and file predictions wait or run at once; wait for one or cancel it.",
        },
    ),
    Row(
        errors.Quarantined,
        "component-quarantined",
        503,
        {"zh": "组件已暂停", "en": "Component quarantined"},
        {
            "zh": "「{component}」已被平台暂停调用：{reason}。核查之后恢复。",
            "en": "“{component}” is in quarantine: {reason}. It answers again once it has been looked at.",
        },
        {"Retry-After": "{retry_after_s}"},
    ),
    Row(
        errors.Retired,
        "component-retired",
        410,
        {"zh": "组件已停用", "en": "Component retired"},
        {
            "zh": "「{component}」已停用：{reason}。替代：{replaced_by}。",
            "en": "“{component}” is retired: {reason}. In its place: {replaced_by}.",
        },
    ),
    Row(
        errors.WrongStage,
        "wrong-stage",
        409,
        {"zh": "阶段不能这样变更", "en": "Stage cannot change so"},
        {
            "zh": "「{component}」现在是 {stage}，不能改为 {wanted}；可改为：{allowed}。",
            "en": "“{component}” is {stage} and cannot become {wanted}; it can become: {allowed}.",
        },
    ),
    Row(
        errors.UnsafeAddress,
        "unsafe-address",
        422,
        {"zh": "地址不能调用", "en": "Address not called"},
        {"zh": "平台不调用 {url}：{reason}", "en": "The platform does not call {url}: {reason}"},
    ),
    Row(
        errors.EndpointFailed,
        "endpoint-failed",
        502,
        {"zh": "服务商的接口没有给出可用的回答", "en": "The provider's endpoint gave no usable answer"},
        {"zh": "「{component}」：{reason}", "en": "“{component}”: {reason}"},
        {"Retry-After": "{retry_after_s}"},
    ),
]
