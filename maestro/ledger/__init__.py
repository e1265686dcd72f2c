"""The ledger: an append-only, hash-chained record of every trial on a series, one file per series and user."""

from maestro.ledger.book import Ledger, Trials, ledgers, n_trials, verify
from maestro.ledger.chain import Chain, Finding
from maestro.ledger.recording import Recorder, scored, uncounted
from maestro.ledger.series import folder, owned_by
from maestro.ledger.tally import Tally
from maestro.ledger.team import Counted, counted, user_folders

__all__ = [
    "Chain", "Counted", "Finding", "Ledger", "Recorder", "Tally", "Trials", "counted", "folder", "ledgers", "n_trials",
    "owned_by", "scored", "uncounted", "user_folders", "verify",
]  # fmt: skip
