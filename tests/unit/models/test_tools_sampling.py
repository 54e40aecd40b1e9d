"""Every cell of the sampling table, the arrows among them, and the risks against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from services.models.tools.sampling import (
    ACCEPT,
    LETTERS,
    LETTERS_OF_LEVEL,
    LOT_ENDS,
    SAMPLE_SIZE,
    acceptance,
    code_letter,
    plan_letter,
    quality_at,
    sampling_plan,
)

# The printed master table for normal inspection: acceptance number, v for an arrow down, ^ for one up.
PRINTED = """
     0.40 0.65 1.0 1.5 2.5 4.0 6.5
A 2    v   v   v   v   v   v   0
B 3    v   v   v   v   v   0   ^
C 5    v   v   v   v   0   ^   v
D 8    v   v   v   0   ^   v   1
E 13   v   v   0   ^   v   1   2
F 20   v   0   ^   v   1   2   3
G 32   0   ^   v   1   2   3   5
H 50   ^   v   1   2   3   5   7
J 80   v   1   2   3   5   7   10
K 125  1   2   3   5   7   10  14
L 200  2   3   5   7   10  14  21
M 315  3   5   7   10  14  21  ^
N 500  5   7   10  14  21  ^   ^
P 800  7   10  14  21  ^   ^   ^
Q 1250 10  14  21  ^   ^   ^   ^
R 2000 14  21  ^   ^   ^   ^   ^
""".strip().splitlines()
AQLS = PRINTED[0].split()
ROWS = [line.split() for line in PRINTED[1:]]
CELLS = [(row, column) for row in range(len(ROWS)) for column in range(len(AQLS))]


def _followed(row: int, column: int) -> tuple[str, int, int]:
    """Letter, sample size and acceptance number where the arrows of the printed table end."""
    while (cell := ROWS[row][column + 2]) in "v^":
        row += 1 if cell == "v" else -1
    return ROWS[row][0], int(ROWS[row][1]), int(cell)


@pytest.mark.parametrize(("row", "column"), CELLS)
def test_every_cell_gives_the_plan_that_the_printed_table_leads_to(row: int, column: int) -> None:
    letter, aql = ROWS[row][0], AQLS[column]
    plan = plan_letter(letter, aql)
    assert (plan, SAMPLE_SIZE[plan], ACCEPT[aql][plan]) == _followed(row, column)


def test_the_printed_table_has_every_letter_and_aql() -> None:
    assert "".join(row[0] for row in ROWS) == LETTERS
    assert list(ACCEPT) == AQLS


@pytest.mark.parametrize(
    ("lot", "letter"),
    [
        (2, "A"), (8, "A"), (9, "B"), (15, "B"), (16, "C"), (25, "C"), (26, "D"), (50, "D"), (51, "E"), (90, "E"), (91, "F"),
        (150, "F"), (151, "G"), (280, "G"), (281, "H"), (500, "H"), (501, "J"), (1200, "J"), (1201, "K"), (3200, "K"),
        (3201, "L"), (10_000, "L"), (10_001, "M"), (35_000, "M"), (35_001, "N"), (150_000, "N"), (150_001, "P"),
        (500_000, "P"), (500_001, "Q"), (9_000_000, "Q"),
    ],
)  # fmt: skip
def test_level_two_has_the_letter_of_the_standard_at_both_ends_of_each_lot_range(lot: int, letter: str) -> None:
    assert code_letter(lot, "II") == letter


@pytest.mark.parametrize(
    ("level", "letters"),
    [
        ("S-1", "A A A A B B B B C C C C D D D"), ("S-2", "A A A B B B C C C D D D E E E"),
        ("S-3", "A A B B C C D D E E F F G G H"), ("S-4", "A A B C C D E E F G G H J J K"),
        ("I", "A A B C C D E F G H J K L M N"), ("III", "B C D E F G H J K L M N P Q R"),
    ],
)  # fmt: skip
def test_other_levels_have_the_letters_of_the_standard(level: str, letters: str) -> None:
    lots = [*LOT_ENDS, 500_001]
    assert [code_letter(lot, level) for lot in lots] == letters.split()


def test_more_discriminating_levels_never_draw_fewer() -> None:
    order = ["S-1", "S-2", "S-3", "S-4", "I", "II", "III"]
    for row in range(len(LOT_ENDS) + 1):
        found = [LETTERS.index(LETTERS_OF_LEVEL[level][row]) for level in order if level != "I"]
        assert found == sorted(found)


def test_the_worked_lot_of_3000_at_2_5_is_drawn_125_and_accepted_at_7() -> None:
    outputs = sampling_plan(3000, "2.5", "II").outputs
    found = [outputs[name] for name in ("code_letter", "sample_size", "accept_number", "reject_number")]
    assert found == ["K", 125, 7, 8]


def test_an_arrow_changes_the_sample_and_is_said() -> None:
    answer = sampling_plan(80, "2.5", "II")
    assert (answer.outputs["code_letter"], answer.outputs["plan_letter"]) == ("E", "F")
    assert (answer.outputs["sample_size"], answer.outputs["accept_number"]) == (20, 1)
    assert "箭头" in answer.notes[0]["zh"]
    assert "箭头" not in sampling_plan(3000, "2.5", "II").notes[0]["zh"]


@pytest.mark.parametrize(("lot", "is_whole"), [(2, True), (12, True), (20, True), (21, False), (25, False)])
def test_a_sample_that_reaches_the_lot_means_every_piece(lot: int, is_whole: bool) -> None:
    # AQL 0.65 leads all small letters down to F, 20 pieces.
    answer = sampling_plan(lot, "0.65", "II")
    assert answer.outputs["sample_size"] == min(lot, 20)
    assert ("全检" in answer.notes[0]["zh"]) is is_whole
    assert ("accepted_95_percent" in answer.outputs) is not is_whole


@pytest.mark.parametrize(("sample", "accept"), [(2, 0), (20, 1), (125, 7), (500, 21)])
def test_risks_agree_with_the_binomial_distribution(sample: int, accept: int) -> None:
    for chance in (0.95, 0.10):
        share = quality_at(chance, sample, accept)
        assert stats.binom.cdf(accept, sample, share) == pytest.approx(chance, abs=1e-9)
    assert acceptance(0.03, sample, accept) == pytest.approx(stats.binom.cdf(accept, sample, 0.03), abs=1e-12)


@pytest.mark.parametrize("lot", [1, 0, -5, 100.5])
def test_a_lot_that_cannot_be_is_refused(lot: float) -> None:
    with pytest.raises(ValueError, match=r".+ / .+"):
        sampling_plan(lot, "2.5", "II")
