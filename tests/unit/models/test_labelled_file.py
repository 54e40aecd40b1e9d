from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from services.models.errors import BadInstances
from services.models.logic import labelled_file

TEXT = "时间,usage_kwh\n2018-01-01 00:15,3.1\n2018-01-01 00:30,x\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.encode("gb18030"), gzip.compress(TEXT.encode(), mtime=0),
        TEXT.replace("\n", "\r\n").encode("gbk"),
    ],
    ids=["utf-8", "utf-8-sig", "gb18030", "gzip", "gbk-crlf"],
)  # fmt: skip
def test_a_file_is_read_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "meter.csv"
    file.write_bytes(content)
    assert labelled_file.read(file)[0] == {"时间": "2018-01-01 00:15", "usage_kwh": "3.1"}


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\x1f\x8b\x08broken", b"\xff\xff\xff\n1"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "meter.csv"
    file.write_bytes(content)
    with pytest.raises(BadInstances):
        labelled_file.read(file)


def test_a_value_that_is_no_number_is_named_by_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    file.write_text(TEXT, encoding="utf-8")
    rows = labelled_file.read(file)
    assert labelled_file.number(file, 0, rows[0], "usage_kwh") == 3.1
    with pytest.raises(BadInstances) as refused:
        labelled_file.number(file, 1, rows[1], "usage_kwh")
    assert list(refused.value.errors) == ["meter.csv line 3 usage_kwh"]
    with pytest.raises(BadInstances, match="missing"):
        labelled_file.need(file, rows, ["power_kw"])
