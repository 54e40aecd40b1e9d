"""What a release computed lately, set aside at the price of one append; whoever watches looks at it later."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.models.inference.compute import Computed
from services.models.inference.counts import MOST_ROWS
from services.models.inference.release import LoadedRelease

MOST_CALLS = 256
"""Of one release between two looks (a second); of more calls the latest are kept."""


class Seen(NamedTuple):
    matrix: NDArray[np.float32]
    answers: NDArray[np.float64]
    """Values (n,), or probabilities (n, classes)."""


def note(release: LoadedRelease, matrix: NDArray[np.float32], computed: Computed) -> None:
    """Keeps the call for the watch. Does nothing where nobody watches."""
    if release.seen is None:
        return
    answers = computed.probabilities if computed.probabilities is not None else computed.values
    if answers is None:
        return
    rows = matrix.shape[0]
    if rows > MOST_ROWS and not release.seen_whole:
        # A copy: a view would keep the whole body of a large call.
        step = -(-rows // MOST_ROWS)
        matrix, answers = matrix[::step].copy(), answers[::step].copy()
    release.seen.append(Seen(matrix, answers))
