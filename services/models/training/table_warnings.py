"""What can be wrong with a table, by code: what was found and what to do about it, in both languages.

A reader or a check states facts; the sentences stand here, once.
"""

from __future__ import annotations

from typing import Any

Words = tuple[str, str, str, str]
"""Found (zh, en) and what to do (zh, en), as templates over the facts."""

WORDS: dict[str, Words] = {
    "title_rows": (
        "表头上方有 {count} 行标题或说明，已跳过",
        "{count} title rows above the header were skipped",
        "无须处理；若跳过的是数据，请删去上方文字后重新上传",
        "Nothing, unless they were data: then remove the text above them and upload again",
    ),
    "merged_headers": (
        "表头有 {count} 行或合并单元格，已连成一行，例如「{example}」",
        "The header has {count} rows or merged cells; they were joined, such as “{example}”",
        "请核对列名；更稳妥的是每列只用一个表头单元格",
        "Check the names; a header of one cell a column is safer",
    ),
    "duplicate_headers": (
        "有 {count} 列同名或没有列名，已编号，例如「{example}」",
        "{count} columns share a name or have none; they were numbered, such as “{example}”",
        "请给每列一个不同的名称",
        "Give each column a name of its own",
    ),
    "total_rows": (
        "第 {lines} 行是合计或备注，没有当作数据",
        "Lines {lines} are totals or remarks and were left out",
        "无须处理；上传明细时最好不带合计行",
        "Nothing; it is best to upload the records without totals",
    ),
    "ragged_rows": (
        "第 {lines} 行的单元格多于表头，多出的部分没有读入",
        "Lines {lines} have more cells than the header; the rest was not read",
        "请检查这些行里是否有未加引号的分隔符",
        "Look for separators without quotes in these lines",
    ),
    "several_sheets": (
        "工作簿有 {count} 张有数据的表，只读了「{example}」",
        "The workbook has {count} sheets with data; only “{example}” was read",
        "要用另一张表，请在上传时给出 sheet，或只保留那一张",
        "To use another, give `sheet` when uploading or keep only that one",
    ),
    "text_numbers": (
        "「{column}」有 {count} 个单元格是文字，例如「{example}」；{read} 个能当数值读的已读入，其余当作缺失",
        "{count} cells of “{column}” are text, such as “{example}”; {read} could be read as numbers, the others count as missing",
        "请把这一列改成纯数字，说明写到另一列",
        "Keep numbers only in this column and put remarks in another",
    ),
    "mixed_units": (
        "「{column}」像是混用了两种单位：{example}",
        "“{column}” seems to mix two units: {example}",
        "请统一成一种单位，并写在表头，例如「电量(kWh)」",
        "Use one unit and write it in the header, such as “energy (kWh)”",
    ),
    "excel_serials": (
        "「{column}」是 Excel 的日期序号，已换成日期，例如 {example}",
        "“{column}” holds Excel's serial numbers; they were read as dates, such as {example}",
        "请核对日期；可在 Excel 里把这一列设为日期格式",
        "Check the dates, or format the column as a date in Excel",
    ),
    "ambiguous_dates": (
        "「{column}」的日期分不清日和月，例如「{example}」；按 {order} 读入",
        "Day and month of “{column}” cannot be told apart, such as “{example}”; read as {order}",
        "请改用 2020-05-01 这样的写法",
        "Write dates as 2020-05-01",
    ),
    "time_zone": (
        "「{column}」的时间带时区（{example}），已换成北京时间",
        "“{column}” has a time zone ({example}); it was turned into China Standard Time",
        "请确认这一列原来是哪个时区的时间",
        "Make sure which zone the column was recorded in",
    ),
    "constant": (
        "「{column}」只有一个值：{example}",
        "“{column}” has one value only: {example}",
        "训练时不用这一列",
        "The column is not used for training",
    ),
    "nearly_empty": (
        "「{column}」有 {percent} % 的行没有值",
        "{percent} % of the rows of “{column}” are empty",
        "训练时不用这一列；若它重要，请补齐数据",
        "The column is not used for training; if it matters, complete it",
    ),
    "duplicate_rows": (
        "有 {count} 行与别的行完全相同",
        "{count} rows equal other rows in every cell",
        "请确认是否重复导出；重复的行会让成绩虚高",
        "Make sure the export was not made twice: repeated rows flatter the score",
    ),
    "too_few_rows": (
        "只有 {count} 行数据，少于 {least} 行",
        "Only {count} rows of data, fewer than {least}",
        "请补充更多记录，少量数据训练出的模型不可靠",
        "Bring more records: a model from so few is not reliable",
    ),
    "time_out_of_order": (
        "「{column}」有 {count} 处时间早于上一行，先见于第 {line} 行",
        "“{column}” goes back in time {count} times, first at line {line}",
        "训练按时间先后排序；请确认时间没有写错",
        "Training sorts by time; make sure the times are right",
    ),
    "time_gaps": (
        "「{column}」通常每 {step} 一行，有 {count} 处中断，最长 {longest}，先见于第 {line} 行",
        "“{column}” has a row every {step}, with {count} gaps, the longest {longest}, first at line {line}",
        "若为停产可不处理；若为漏采，请补齐",
        "Nothing if the plant stood still; complete the data if readings are missing",
    ),
    "time_duplicated": (
        "「{column}」有 {count} 行与另一行时间相同，先见于第 {line} 行",
        "{count} rows of “{column}” repeat the time of another, first at line {line}",
        "请去掉重复的行；若一个时间有多台设备，请加一列设备",
        "Remove the repeated rows, or add a column with the machine when there are several",
    ),
    "outliers": (
        "「{column}」有 {count} 个值远离其余：{example}，先见于第 {line} 行",
        "{count} values of “{column}” lie far from the others: {example}, first at line {line}",
        "请核对是否抄错、单位不同或仪表故障码",
        "Check for slips, another unit, or a fault code of the meter",
    ),
    "id_as_feature": (
        "「{column}」像是编号：{percent} % 的行各不相同",
        "“{column}” looks like an identifier: {percent} % of its values differ",
        "训练时不用这一列；编号里没有可推广的规律",
        "The column is not used for training: an identifier carries nothing to learn",
    ),
    "inconsistent_categories": (
        "「{column}」同一类别有几种写法：{example}",
        "“{column}” spells one category in several ways: {example}",
        "请统一写法（大小写、空格、全角半角）",
        "Use one spelling (case, spaces, full width)",
    ),
    "leakage_equal": (
        "「{column}」与目标「{target}」几乎相同（{example}）",
        "“{column}” nearly equals the target “{target}” ({example})",
        "预测时通常还不知道它，请从特征中去掉",
        "It is rarely known when predicting: take it out of the features",
    ),
    "leakage_sum": (
        "目标「{target}」可由其他列算出：{example}",
        "The target “{target}” follows from other columns: {example}",
        "这是算术关系，不是预测；请去掉这些列中的至少一列",
        "That is arithmetic, not prediction: take out at least one of these columns",
    ),
    "leakage_determines": (
        "「{column}」的值决定了目标「{target}」（{example}）",
        "“{column}” determines the target “{target}” ({example})",
        "它可能是事后才填的，请确认预测时是否已知，否则去掉",
        "It may be filled in afterwards: unless it is known when predicting, take it out",
    ),
    "sorted_by_class": (
        "数据按目标「{target}」的类别排好了序",
        "The rows are sorted by the classes of the target “{target}”",
        "评估时会打乱或分层；若有时间列，请选上",
        "They are shuffled or stratified for the score; choose the time column if there is one",
    ),
    "single_class": (
        "目标「{target}」只有一个值：{example}",
        "The target “{target}” has one value only: {example}",
        "没有可学的差别；请加入另一种结果的记录",
        "There is nothing to tell apart: add records of the other outcome",
    ),
    "imbalance": (
        "目标「{target}」中「{example}」只有 {count} 行（{percent} %）",
        "“{example}” of the target “{target}” has {count} rows only ({percent} %)",
        "请补充这一类的记录；评估看查全和误报，不看准确率",
        "Add records of that class; judge by recall and false alarms, not by accuracy",
    ),
}
NOTES = frozenset({"title_rows", "total_rows", "several_sheets", "excel_serials"})
"""What was handled and only needs to be known."""


def warning(code: str, column: str | None = None, **facts: Any) -> dict[str, Any]:
    """One warning as the API shows it, in both languages."""
    zh_found, en_found, zh_do, en_do = WORDS[code]
    said = {**facts, "column": column}
    return {
        "code": code,
        "level": "note" if code in NOTES else "warning",
        "column": column,
        "found": {"zh": zh_found.format(**_in(said, "zh")), "en": en_found.format(**_in(said, "en"))},
        "do": {"zh": zh_do, "en": en_do},
        "facts": facts,
    }


def _in(facts: dict[str, Any], language: str) -> dict[str, Any]:
    """Facts that are said differently in each language come as `{"zh": …, "en": …}`."""
    return {name: value[language] if isinstance(value, dict) else value for name, value in facts.items()}
