"""Portfolios: weights of sleeves chosen on training windows, and one account for several series."""

import sys
from types import ModuleType
from typing import Any

from maestro._core.hooks import hook
from maestro.portfolio.shared import SharedAccount, run_shared
from maestro.portfolio.weights import RULES, weights

__all__ = ["RULES", "SharedAccount", "run_shared", "weights"]


class _CallableModule(ModuleType):
    """Lets ``ms.portfolio(...)`` combine walk-forwards although ``maestro.portfolio`` is this package too."""

    def __call__(self, *runs: Any, **settings: Any) -> Any:
        return hook("portfolio")(*runs, **settings)


sys.modules[__name__].__class__ = _CallableModule
