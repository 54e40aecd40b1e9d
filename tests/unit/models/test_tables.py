"""Tables and matrices as inputs: every cell checked, every fault named by its path."""

from __future__ import annotations

import math
from typing import Any

import pytest

from services.models.inference.signature import Signature
from services.models.inference.tables import matrix_of, table_of

SIGNATURE = Signature.from_mapping(
    {
        "task": "tool",
        "inputs": [
            {
                "name": "jobs", "title_zh": "工单", "title_en": "Jobs", "datatype": "TABLE", "most_rows": 4,
                "columns": [
                    {"name": "job", "title_zh": "工单号", "title_en": "Job", "datatype": "BYTES"},
                    {"name": "minutes", "title_zh": "工时", "title_en": "Time", "unit": "min", "minimum": 0, "maximum": 60},
                    {
                        "name": "kind", "title_zh": "种类", "title_en": "Kind", "datatype": "BYTES",
                        "choices": ["甲", "乙"], "required": False, "default": "甲",
                    },
                    {
                        "name": "count", "title_zh": "数量", "title_en": "Count", "datatype": "INT64", "minimum": 1,
                        "maximum": 9, "required": False, "default": 1,
                    },
                ],
            },
            {
                "name": "cleaning", "title_zh": "清缸", "title_en": "Cleaning", "datatype": "MATRIX", "minimum": 0,
                "maximum": 240, "most_rows": 3,
            },
            {
                "name": "extra", "title_zh": "可空表", "title_en": "Optional", "datatype": "TABLE", "default": [],
                "columns": [{"name": "a", "title_zh": "甲", "title_en": "A", "minimum": 0, "maximum": 1}],
            },
        ],
        "outputs": [{"name": "value", "title_zh": "值", "title_en": "Value"}],
    }
)  # fmt: skip
JOBS, CLEANING, EXTRA = SIGNATURE.inputs
GOOD = {"job": "A1", "minutes": 5}


def refused(rows: Any, of: Any = JOBS) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    (table_of if of.datatype == "TABLE" else matrix_of)(of, rows, f"instances.0.{of.name}", errors)
    return errors


def test_a_signature_with_tables_survives_its_own_json() -> None:
    assert Signature.from_mapping(SIGNATURE.as_json()) == SIGNATURE
    assert SIGNATURE.as_json()["inputs"][0]["columns"][1]["unit"] == "min"


def test_columns_left_out_get_their_default() -> None:
    assert table_of(JOBS, [GOOD], "p", {}) == [{"job": "A1", "minutes": 5.0, "kind": "甲", "count": 1}]


def test_a_number_that_a_spreadsheet_made_of_a_name_is_a_name_again() -> None:
    (row,) = table_of(JOBS, [{"job": 1042, "minutes": 5}], "p", {})
    assert row["job"] == "1042"


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"job": "A1"}, "minutes"),
        ({"job": "A1", "minutes": ""}, "minutes"),
        ({"job": "A1", "minutes": "much"}, "minutes"),
        ({"job": "A1", "minutes": True}, "minutes"),
        ({"job": "A1", "minutes": math.nan}, "minutes"),
        ({"job": "A1", "minutes": 61}, "minutes"),
        ({"job": "A1", "minutes": -1}, "minutes"),
        ({"job": ["A1"], "minutes": 1}, "job"),
        ({"job": "A" * 81, "minutes": 1}, "job"),
        ({**GOOD, "kind": "丙"}, "kind"),
        ({**GOOD, "count": 1.5}, "count"),
        ({**GOOD, "colour": "red"}, "colour"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(row: dict[str, Any], path: str) -> None:
    assert list(refused([GOOD, row])) == [f"instances.0.jobs.1.{path}"]


@pytest.mark.parametrize("value", [None, {}, "A1", [], [GOOD] * 5])
def test_what_is_no_table_or_too_long_is_refused_with_the_limit(value: Any) -> None:
    ((path, said),) = refused(value).items()
    assert path == "instances.0.jobs"
    assert "1 到 4 行" in said[0]


def test_a_row_that_is_no_object_is_named() -> None:
    assert list(refused([GOOD, 1])) == ["instances.0.jobs.1"]


def test_only_a_table_with_an_empty_default_may_be_empty() -> None:
    assert refused([], EXTRA) == {}
    assert refused([]) != {}


def test_a_matrix_has_rows_of_one_length_and_numbers_in_range() -> None:
    assert matrix_of(CLEANING, [[0, 10], [20, 0]], "p", {}) == [[0.0, 10.0], [20.0, 0.0]]
    assert list(refused([[0, 1], [2]], CLEANING)) == ["instances.0.cleaning.1"]
    assert list(refused([[0, 241], [2, 0]], CLEANING)) == ["instances.0.cleaning.0.1"]
    assert list(refused([[0]] * 4, CLEANING)) == ["instances.0.cleaning"]
    assert refused([[]], CLEANING) != {}


def test_faults_are_not_listed_without_end() -> None:
    table = Signature.from_mapping(
        {**SIGNATURE.as_json(), "inputs": [{**SIGNATURE.as_json()["inputs"][0], "most_rows": 1000}]}
    ).inputs[0]
    assert len(refused([{"job": "A1"}] * 1000, table)) == 20
