"""`zhigai search`: words are words, `eval` is a command, and a bad file is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.gateway.search import evaluation
from zhigai.cli import main
from zhigai.search_commands import as_text

JUDGED = Path(__file__).parents[1] / "data" / "search" / "judged.yaml"


def test_a_judged_file_that_cannot_be_read_is_refused_with_its_entry(tmp_path: Path) -> None:
    file = tmp_path / "judged.yaml"
    file.write_text("queries: [{q: 断纸}]", encoding="utf-8")
    done = CliRunner().invoke(main, ["search", "eval", str(file)])
    assert done.exit_code == 1 and "entry 1" in done.output
    assert CliRunner().invoke(main, ["search", "eval", str(tmp_path / "none.yaml")]).exit_code == 2


@pytest.mark.parametrize("words", [["eval", str(JUDGED)], ["断纸"]])
@pytest.mark.parametrize("migrated", [False, True])
def test_a_home_without_content_is_named_in_one_sentence_with_what_to_run(
    make_home: Callable[[], Path], words: list[str], migrated: bool
) -> None:
    home = CliRunner(env={"ZHIGAI_HOME": str(make_home())})
    if migrated:
        assert home.invoke(main, ["migrate"]).exit_code == 0
    else:
        refused = home.invoke(main, ["seed"])
        assert refused.exit_code == 1 and "run `zhigai migrate` first" in refused.stderr
    done = home.invoke(main, ["search", *words])
    assert (done.exit_code, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert "还没有内容" in said and "run `zhigai migrate`, then `zhigai seed`" in said


def test_search_without_words_says_what_it_can_do() -> None:
    done = CliRunner().invoke(main, ["search"])
    assert done.exit_code == 2 and "eval" in done.output


def test_the_report_names_what_failed_and_what_was_wanted() -> None:
    judged = evaluation.Judged("断纸", "trouble", "paper", "plain", True, {"a": 3})
    text = as_text(evaluation.report([evaluation.Outcome(judged, ("x",), None, 1)]))
    assert "断纸  [-]  x  wanted a" in text and "intent trouble" in text and "kept" in text
