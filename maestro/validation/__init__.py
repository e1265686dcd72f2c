"""How much of a result is luck: overfitting of the choice, the Sharpe ratio among many trials."""

from maestro.validation.boundary import BoundaryAudit, boundary_audit
from maestro.validation.lookahead import LookAhead, lookahead
from maestro.validation.overfitting import Overfitting, pbo
from maestro.validation.sharpe import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)

__all__ = [
    "BoundaryAudit",
    "LookAhead",
    "Overfitting",
    "boundary_audit",
    "deflated_sharpe_ratio",
    "expected_max_sharpe",
    "lookahead",
    "minimum_track_record_length",
    "pbo",
    "probabilistic_sharpe_ratio",
]
