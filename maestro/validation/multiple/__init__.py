"""Many results at once: how many of the good ones are due to chance."""

from maestro.validation.multiple.corrections import benjamini_hochberg, holm
from maestro.validation.multiple.permutation import (
    ManyPermutation,
    permutation_test_many,
    permutation_test_portfolio,
)
from maestro.validation.multiple.resampling import Resampled, resampled_test
from maestro.validation.multiple.significance import Significance, significance

__all__ = [
    "ManyPermutation", "Resampled", "Significance", "benjamini_hochberg", "holm", "permutation_test_many",
    "permutation_test_portfolio", "resampled_test", "significance",
]  # fmt: skip
