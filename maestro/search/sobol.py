"""Points that fill a cube evenly: the Sobol sequence in up to 32 dimensions, plain or scrambled.

Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections",
SIAM J. Sci. Comput. 30 (2008) 2635-2654, set new-joe-kuo-6. Unscrambled points equal scipy's to the bit; importing
`scipy.stats.qmc` for them would take longer than most searches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.errors import SettingsError
from maestro.typing import FloatArray

BITS = 30

# One row a dimension from the second on: primitive polynomial, then the initial direction numbers.
_JOE_KUO = (
    (3, 1), (7, 1, 3), (11, 1, 3, 1), (13, 1, 1, 1), (19, 1, 1, 3, 3), (25, 1, 3, 5, 13), (37, 1, 1, 5, 5, 17),
    (41, 1, 1, 5, 5, 5), (47, 1, 1, 7, 11, 19), (55, 1, 1, 5, 1, 1), (59, 1, 1, 1, 3, 11), (61, 1, 3, 5, 5, 31),
    (67, 1, 3, 3, 9, 7, 49), (91, 1, 1, 1, 15, 21, 21), (97, 1, 3, 1, 13, 27, 49), (103, 1, 1, 1, 15, 7, 5),
    (109, 1, 3, 1, 15, 13, 25), (115, 1, 1, 5, 5, 19, 61), (131, 1, 3, 7, 11, 23, 15, 103),
    (137, 1, 3, 7, 13, 13, 15, 69), (143, 1, 1, 3, 13, 7, 35, 63), (145, 1, 3, 5, 9, 1, 25, 53),
    (157, 1, 3, 1, 13, 9, 35, 107), (167, 1, 3, 1, 5, 27, 61, 31), (171, 1, 1, 5, 11, 19, 41, 61),
    (185, 1, 3, 5, 3, 3, 13, 69), (191, 1, 1, 7, 13, 1, 19, 1), (193, 1, 3, 7, 5, 13, 19, 59),
    (203, 1, 1, 3, 9, 25, 29, 41), (211, 1, 3, 5, 13, 23, 1, 55), (213, 1, 3, 7, 3, 13, 59, 17),
)  # fmt: skip
DIMENSIONS = len(_JOE_KUO) + 1


class Sobol:
    """The Sobol sequence, drawn on from where the last draw ended.

    Parameters
    ----------
    dimensions : int
        1 to 32.
    seed : int, optional
        Scrambles the sequence: each direction matrix is multiplied by a random lower triangular binary matrix with
        ones on its diagonal and every point is shifted by a random digital shift (J. Matoušek, 1998), which keeps the
        even filling and makes every point uniform. Bits come from ``numpy.random.RandomState(seed)``, whose stream
        is the same in every NumPy. None: the plain sequence, whose first point is 0.
    """

    def __init__(self, dimensions: int, seed: int | None = None) -> None:
        if not 1 <= dimensions <= DIMENSIONS:
            raise SettingsError(
                f"A Sobol search of {dimensions} parameters: direction numbers are there for 1 to {DIMENSIONS}; "
                'fix some of them, or use search="random".'
            )
        self._directions = _directions(dimensions)
        self._shift = np.zeros(dimensions, np.uint32)
        self._drawn = 0
        if seed is not None:
            self._scramble(np.random.RandomState(seed))

    def _scramble(self, rng: np.random.RandomState) -> None:
        d = len(self._directions)
        weights = np.uint32(1) << np.arange(BITS, dtype=np.uint32)[::-1]  # of the first digit first
        shift = rng.randint(0, 2, (d, BITS)).astype(np.uint32)
        self._shift = (shift * weights).sum(axis=1, dtype=np.uint32)
        lower = np.tril(rng.randint(0, 2, (d, BITS, BITS)), -1) + np.eye(BITS, dtype=np.int64)
        rows = (lower.astype(np.uint32) * weights).sum(axis=2, dtype=np.uint32)
        parity = np.bitwise_count(rows[:, :, None] & self._directions[:, None, :]) & 1
        self._directions = (parity * weights[:, None]).sum(axis=1, dtype=np.uint32)

    def draw(self, n: int) -> FloatArray:
        """Next `n` points, float64[n, dimensions] in [0, 1)."""
        if self._drawn + n > 2**BITS:
            raise SettingsError(f"A Sobol sequence ends after {2**BITS} points; {self._drawn + n} were asked for.")
        index = np.arange(self._drawn, self._drawn + n, dtype=np.uint32)
        gray = index ^ (index >> np.uint32(1))
        points = np.repeat(self._shift[:, None], n, axis=1)
        for bit in range(int(self._drawn + n).bit_length()):
            chosen = (gray >> np.uint32(bit)) & np.uint32(1)
            points ^= chosen * self._directions[:, bit, None]
        self._drawn += n
        return np.multiply(points.T, 2.0**-BITS, order="C", dtype=np.float64)


def _directions(dimensions: int) -> NDArray[np.uint32]:
    """Direction numbers, uint32[dimensions, BITS], the first digit in the highest of `BITS` bits."""
    result = np.zeros((dimensions, BITS), np.uint32)
    result[0] = [1 << (BITS - 1 - j) for j in range(BITS)]
    for k, (polynomial, *initial) in enumerate(_JOE_KUO[: dimensions - 1], start=1):
        degree = len(initial)
        m = list(initial)
        for j in range(degree, BITS):
            value = m[j - degree]
            for i in range(1, degree + 1):
                if polynomial >> (degree - i) & 1:
                    value ^= m[j - i] << i
            m.append(value)
        result[k] = [value << (BITS - 1 - j) for j, value in enumerate(m)]
    return result
