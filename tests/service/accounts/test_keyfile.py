"""The signing keys: made for their user alone, refused if others can read them or if they are too short."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from maestro.errors import AccessError
from maestro.service.accounts import read_or_make_keys


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_the_key_is_made_for_its_user_alone_and_refused_where_others_can_read_it(tmp_path: Path) -> None:
    keys = read_or_make_keys(tmp_path)
    path = tmp_path / "service.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_keys(tmp_path) == keys
    path.chmod(0o644)
    with pytest.raises(AccessError, match="chmod 600"):
        read_or_make_keys(tmp_path)
    path.chmod(0o600)
    path.write_text('{"k": "short"}')
    with pytest.raises(AccessError, match="holds no key"):
        read_or_make_keys(tmp_path)
