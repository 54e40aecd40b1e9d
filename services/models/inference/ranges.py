"""The trained range of each feature as arrays, made once a release: every row of the open protocol is compared with it."""

from __future__ import annotations

from operator import le

import numpy as np
from numpy.typing import NDArray

from services.models.inference.signature import Signature


class Ranges:
    """A feature without a bound has the largest finite number as its bound, so that what lies within is finite too."""

    def __init__(self, signature: Signature) -> None:
        self.worded = any(each.choices for each in signature.inputs)
        """Whether a feature takes words, which have to be looked up."""
        most = np.finfo(np.float32).max
        lows = [-most if each.minimum is None else each.minimum for each in signature.inputs]
        highs = [most if each.maximum is None else each.maximum for each in signature.inputs]
        # Inputs are single precision: a bound between two such numbers is widened to the outer one.
        self._low = np.nextafter(np.array(lows, np.float32), np.float32(-np.inf)).clip(-most, most)
        self._high = np.nextafter(np.array(highs, np.float32), np.float32(np.inf)).clip(-most, most)

        self._lows, self._highs = self._low.tolist(), self._high.tolist()

    def outside(self, matrix: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """(n, features) true where a value lies outside or is not finite; None when all lie within."""
        if matrix.shape[0] == 1:
            # Of a single row the comparison takes less time than numpy needs to begin.
            row = matrix[0].tolist()
            if all(map(le, self._lows, row)) and all(map(le, row, self._highs)):
                return None
        within = (matrix >= self._low) & (matrix <= self._high)
        return None if within.all() else ~within
