"""How often a series was tried: an append-only, hash-chained ledger of every trial, one per series and user."""

from maestro.ledger.book import Ledger, Trials, ledgers, n_trials, verify
from maestro.ledger.chain import Chain, Finding
from maestro.ledger.recording import Recorder, scored, uncounted
from maestro.ledger.series import folder
from maestro.ledger.tally import Tally

__all__ = [
    "Chain", "Finding", "Ledger", "Recorder", "Tally", "Trials", "folder", "ledgers", "n_trials", "scored", "uncounted",
    "verify",
]  # fmt: skip
