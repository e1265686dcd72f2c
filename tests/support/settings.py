"""A settings file in a folder."""

from __future__ import annotations

from pathlib import Path


def write_settings(folder: Path, text: str) -> None:
    (folder / "maestro.yaml").write_text(text)
