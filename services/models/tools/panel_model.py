"""Guillotine cutting of rectangles from equal sheets: packing by ruin and recreate, and an exact bound for one sheet.

Whole numbers throughout. A saw's kerf is counted by making parts and sheets larger by it, which is exact.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.models.tools.solver import Budget

MOST_STATES = 150_000
"""Pairs of cutting positions for which the exact fill of one sheet is computed."""
LOOK_EVERY = 200
WITHOUT_GAIN = 60_000


@dataclass(frozen=True)
class Piece:
    width: int
    height: int
    may_turn: bool
    kind: int

    @property
    def area(self) -> int:
        return self.width * self.height

    def ways(self) -> tuple[tuple[int, int], ...]:
        if self.may_turn and self.width != self.height:
            return (self.width, self.height), (self.height, self.width)
        return ((self.width, self.height),)


@dataclass(frozen=True)
class Placed:
    piece: Piece
    x: int
    y: int
    width: int
    height: int


Room = tuple[int, int, int, int]
"""x, y, width, height of what is free."""


@dataclass
class Sheet:
    """Every room is the rest of a cut across a whole room before it, so that the layout can be sawn through."""

    rooms: list[Room]
    placed: list[Placed] = field(default_factory=list)

    @property
    def used(self) -> int:
        return sum(each.piece.area for each in self.placed)

    def largest_room(self) -> Room:
        return max(self.rooms, key=lambda room: room[2] * room[3], default=(0, 0, 0, 0))


def packed(width: int, height: int, pieces: Sequence[Piece], bound: int, budget: Budget, seed: int = 1) -> list[Sheet]:
    """All pieces on as few sheets as were found within the budget; the last sheet is left as empty as can be."""
    rng = random.Random(seed)
    sheets = _first(width, height, pieces, rng)
    best = list(sheets)
    since = 0
    for turn in range(10**9):
        if turn % LOOK_EVERY == 0:
            if budget.left <= 0 or since > WITHOUT_GAIN or (len(best) <= bound and since > WITHOUT_GAIN // 20):
                break
            if turn % (LOOK_EVERY * 50) == 0:
                budget.say(f"{len(best)} 张 / {len(best)} sheets (≥ {bound})")
        if len(sheets) < 2:
            break
        chosen = rng.sample(range(len(sheets)), min(len(sheets), rng.choice((2, 2, 3))))
        if rng.random() < 0.5:
            emptiest = min(range(len(sheets)), key=lambda number: sheets[number].used)
            chosen = list({emptiest, *chosen[1:]})
        old = [sheets[number] for number in chosen]
        new = _again(width, height, [each.piece for sheet in old for each in sheet.placed], len(old), rng)
        since += 1
        if new is None or _score(new) < _score(old) * (1 - 0.002 * rng.random()):
            continue
        sheets = [sheet for number, sheet in enumerate(sheets) if number not in chosen] + new
        if (len(sheets), -_score(sheets)) < (len(best), -_score(best)):
            best, since = list(sheets), 0
    return sorted(best, key=lambda sheet: -sheet.used)


def _score(sheets: Sequence[Sheet]) -> int:
    """Higher when the waste lies together on one sheet."""
    return sum(sheet.used**2 for sheet in sheets)


def _first(width: int, height: int, pieces: Sequence[Piece], rng: random.Random) -> list[Sheet]:
    """The best of a few greedy packings."""
    found = [_again(width, height, pieces, len(pieces), rng, noise=noise) for noise in (0.0, 0.0, 0.1, 0.2, 0.3, 0.3)]
    return min((each for each in found if each is not None), key=lambda sheets: (len(sheets), -_score(sheets)))


def _again(
    width: int, height: int, pieces: Sequence[Piece], most: int, rng: random.Random, noise: float | None = None
) -> list[Sheet] | None:
    """A greedy packing in a random order on at most so many sheets, or None."""
    key, spread = rng.randrange(4), rng.random() * 0.6 if noise is None else noise
    order = sorted(pieces, key=lambda piece: -_size(piece, key) * (1 + spread * (rng.random() - 0.5)))
    fit, split = rng.randrange(3), rng.randrange(3)
    sheets: list[Sheet] = []
    for piece in order:
        if not any(_place(sheet, piece, fit, split) for sheet in sheets):
            if len(sheets) == most:
                return None
            sheets.append(Sheet([(0, 0, width, height)]))
            if not _place(sheets[-1], piece, fit, split):
                return None
    return sheets


def _size(piece: Piece, key: int) -> int:
    """What large pieces are told by: area, longer side, or either side."""
    longer = max(piece.width, piece.height)
    return (piece.area, longer**2, piece.width**2, piece.height**2)[key]


def _place(sheet: Sheet, piece: Piece, fit: int, split: int) -> bool:
    best: tuple[int, int, int, int] | None = None
    for number, (_, _, wide, high) in enumerate(sheet.rooms):
        for width, height in piece.ways():
            over, up = wide - width, high - height
            if over < 0 or up < 0:
                continue
            rest = wide * high - width * height if fit == 0 else min(over, up) if fit == 1 else max(over, up)
            if best is None or rest < best[0]:
                best = (rest, number, width, height)
    if best is None:
        return False
    _, number, width, height = best
    x, y, wide, high = sheet.rooms.pop(number)
    over, up = wide - width, high - height
    # The cut goes along the whole room: either beside the piece or above it.
    beside = over > up if split == 0 else over < up if split == 1 else over * high > up * wide
    if beside:
        rooms = [(x + width, y, over, high), (x, y + height, width, up)]
    else:
        rooms = [(x + width, y, over, height), (x, y + height, wide, up)]
    sheet.rooms += [room for room in rooms if room[2] > 0 and room[3] > 0]
    sheet.placed.append(Placed(piece, x, y, width, height))
    return True


def lower_bound(width: int, height: int, pieces: Sequence[Piece]) -> int:
    """Sheets that any guillotine plan needs: by area against the best fill of one sheet, and by what sizes leave unused
    (dual feasible functions of Martello and Vigo 1998 and of Fekete and Schepers 2001)."""
    total = sum(piece.area for piece in pieces)
    fill = best_fill(width, height, pieces) or width * height
    return max(math.ceil(total / fill), _by_sizes(width, height, pieces), 1)


def _by_sizes(width: int, height: int, pieces: Sequence[Piece]) -> int:
    ways = [piece.ways() for piece in pieces]
    across = _shares(width, np.array([[way[0][0], way[-1][0]] for way in ways]))
    up = _shares(height, np.array([[way[0][1], way[-1][1]] for way in ways]))
    most = max(float(np.minimum.reduce(one * other, axis=1).sum()) for one in across for other in up)
    return math.ceil(most - 1e-6)


def _shares(size: int, lengths: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Each row: lengths as shares of the size that, of any that fit together, add up to at most 1."""
    found = [lengths / size]
    for limit in {*np.unique(lengths[2 * lengths <= size]).tolist()}:
        # What leaves no room for this length counts as the whole size; what is shorter counts for nothing.
        found.append(np.where(lengths > size - limit, 1.0, np.where(lengths < limit, 0.0, lengths / size)))
    for parts in range(1, 6):
        steps = lengths * (parts + 1) / size
        exact = np.abs(steps - np.round(steps)) < 1e-9
        found.append(np.where(exact, lengths / size, np.floor(steps + 1e-9) / parts))
    return found


def best_fill(width: int, height: int, pieces: Sequence[Piece]) -> int | None:
    """The largest area of pieces that guillotine cuts can take from one sheet, each kind in any number.

    Exact; None when there are too many cutting positions. Source: dynamic programming over the positions that sums of
    sizes can reach (Beasley 1985).
    """
    ways = {way for piece in pieces for way in piece.ways()}
    across = _positions(width, {wide for wide, _ in ways})
    up = _positions(height, {high for _, high in ways})
    if len(across) * len(up) > MOST_STATES:
        return None
    value = np.zeros((len(across), len(up)))
    for wide, high in ways:
        first, second = int(np.searchsorted(across, wide)), int(np.searchsorted(up, high))
        value[first:, second:] = np.maximum(value[first:, second:], wide * high)
    halves_up = [_halves(up, place) for place in range(len(up))]
    for place in range(len(across)):
        one, other = _halves(across, place)
        if len(one):
            value[place] = np.maximum(value[place], (value[one] + value[other]).max(axis=0))
        row = value[place]
        for step, (below, above) in enumerate(halves_up):
            if len(below):
                row[step] = max(row[step], (row[below] + row[above]).max())
    return int(value[-1, -1])


def _positions(size: int, lengths: set[int]) -> NDArray[np.int64]:
    """Where cuts can lie: sums of lengths up to the size; the size itself counts as the last of them."""
    reached = np.zeros(size + 1, dtype=bool)
    reached[0] = True
    for place in range(size + 1):
        if reached[place]:
            for length in lengths:
                if place + length <= size:
                    reached[place + length] = True
    return np.flatnonzero(reached).astype(np.int64)


def _halves(positions: NDArray[np.int64], place: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the two parts of every cut of a length that ends at `place`."""
    size = positions[place]
    one = np.arange(1, int(np.searchsorted(positions, size // 2, side="right")))
    return one, np.searchsorted(positions, size - positions[one], side="right") - 1
