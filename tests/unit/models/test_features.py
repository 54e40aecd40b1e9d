"""Day-ahead features: from readings before midnight only, whatever their order, gaps and repetitions."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from services.models.features import steel_energy as features

FIRST = datetime(2018, 3, 5)


def rows(days: int, seed: int = 0) -> list[tuple[datetime, float]]:
    chance = np.random.default_rng(seed)
    return [
        (FIRST + timedelta(days=day) + (slot + 1) * features.STEP, float(chance.uniform(2, 90)))
        for day in range(days)
        for slot in range(features.SLOTS)
    ]


def test_an_interval_belongs_to_the_day_in_which_it_began() -> None:
    assert features.slot_of(datetime(2018, 3, 6, 0, 15)) == (datetime(2018, 3, 6), 0)
    assert features.slot_of(datetime(2018, 3, 7, 0, 0)) == (datetime(2018, 3, 6), 95)


def test_nothing_of_the_day_itself_or_later_reaches_its_features() -> None:
    day = FIRST + timedelta(days=30)
    known = rows(40)
    changed = [(end, value if end <= day else value + 1000) for end, value in known]
    one = features.day_features(features.readings_of(known), day)
    other = features.day_features(features.readings_of(changed), day)
    assert np.array_equal(one, other)


def test_the_order_of_the_rows_does_not_matter() -> None:
    known = rows(30)
    mixed = list(known)
    np.random.default_rng(1).shuffle(mixed)
    day = FIRST + timedelta(days=30)
    straight = features.day_features(features.readings_of(known), day)
    assert np.array_equal(straight, features.day_features(features.readings_of(mixed), day))


def test_of_a_stamp_given_twice_the_last_value_counts() -> None:
    known = rows(10)
    end, value = known[100]
    readings = features.readings_of([*known, (end, value + 5)])
    assert readings.grid[1, 4] == value + 5


def test_lags_are_the_readings_they_name() -> None:
    readings = features.readings_of(rows(40))
    day = FIRST + timedelta(days=40)
    matrix = features.day_features(readings, day)
    for name, back in (("lag_1d", 1), ("lag_7d", 7), ("lag_28d", 28)):
        assert np.array_equal(matrix[:, features.NAMES.index(name)], readings.grid[-back])
    assert np.array_equal(features.naive(readings, day), readings.grid[-7])


def test_gaps_are_filled_and_leave_no_hole_in_the_features() -> None:
    chance = np.random.default_rng(2)
    known = [row for row in rows(20) if chance.random() > 0.1]
    matrix = features.day_features(features.readings_of(known), FIRST + timedelta(days=20))
    assert matrix.shape == (96, len(features.NAMES))
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("days", [1, 7, 8, 13, 35, 60])
def test_features_are_finite_with_any_length_of_history(days: int) -> None:
    matrix = features.day_features(features.readings_of(rows(days)), FIRST + timedelta(days=days))
    assert np.isfinite(matrix).all()


def test_a_stop_of_one_day_leaves_the_mean_of_working_days_alone() -> None:
    known = rows(28)
    stopped = FIRST + timedelta(days=25)
    with_stop = [(end, 0.0 if stopped < end <= stopped + timedelta(days=1) else value) for end, value in known]
    day = FIRST + timedelta(days=28)
    column = features.NAMES.index("working_mean")
    found = features.day_features(features.readings_of(with_stop), day)[:, column]
    assert found.mean() == pytest.approx(46, abs=6)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2018-03-05 00:07", "2018-03-05T00:15:00+09:00", "0001-01-01 00:15", "9999-01-01 00:15"]
)
def test_a_stamp_that_names_no_quarter_hour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        features.parse_end(text)


@pytest.mark.parametrize("text", ["2018-03-05 00:15", "2018/03/05 00:15", "2018-03-05T00:15:00"])
def test_usual_ways_to_write_a_stamp_are_read(text: str) -> None:
    assert features.parse_end(text) == datetime(2018, 3, 5, 0, 15)
