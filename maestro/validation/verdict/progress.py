"""Progress of a verdict: the share that is done, and the current step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maestro.execution.events import bar_options

STEPS = {"lookahead": 3, "bootstrap": 12, "trials": 12, "pbo": 8, "spa": 12, "robustness": 5, "permutations": 48}
"""Approximate share of the time that each step takes [percent]."""


class StepProgress:
    """Progress of the steps as a share of the whole, for a progress bar or a listener."""

    def __init__(self, progress: bool | Callable[[float, str], None] | None) -> None:
        self._tell: Callable[[float, str], None] = progress if callable(progress) else lambda share, text: None
        self._bar: Any = None
        self._options = bar_options(progress)
        self._done, self._text, self._step = 0.0, "", ""

    def __enter__(self) -> StepProgress:
        if self._options is not None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=100, desc="verdict", dynamic_ncols=True, bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}",
                **self._options,
            )  # fmt: skip
        return self

    def __exit__(self, kind: Any, *rest: object) -> None:
        if kind is None:
            self._step = ""
            self._show(100.0, "done")
        if self._bar is not None:
            self._bar.close()

    def begin(self, step: str, text: str) -> None:
        """Begin a step; the one before it is done."""
        if self._step:
            self._done += STEPS[self._step]
        self._step = step
        self._show(self._done, text)

    def advance(self, step: str, share: float) -> None:
        """Add a share of a step to what is done."""
        self._done += STEPS[step] * share
        self._show(self._done, self._text)
        if self._step == step:
            self._step = ""

    def _show(self, percent: float, text: str) -> None:
        self._text = text
        self._tell(min(percent, 100.0) / 100.0, text)
        if self._bar is not None:
            self._bar.set_description_str(f"verdict: {text}", refresh=False)
            self._bar.n = round(min(percent, 100.0))
            self._bar.refresh()
