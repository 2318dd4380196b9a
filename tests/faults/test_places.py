"""The quick form of row 30."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults import places

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists() or os.name != "posix", reason="how Linux keeps files")


def test_what_is_kept_is_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    left = places.under_umask_zero(tmp_path)

    assert (left.codes, left.jobs) == ([0] * len(places.COMMANDS), 1)
    assert any("tokens" in path for path in left.modes)
    assert left.open_to_others == []


def test_control_a_plain_file_would_be_everybodys(tmp_path: Path) -> None:
    assert places.under_umask_zero(tmp_path, guard=False).open_to_others == ["tokens", "tokens/a"]


@pytest.mark.parametrize("harness", [places.without_a_home, places.on_a_full_disk])
def test_where_nothing_can_be_kept_everything_works_and_says_so(harness: object, tmp_path: Path) -> None:
    assert callable(harness)
    left = harness(tmp_path)

    assert (left.codes, left.jobs) == ([0] * len(places.COMMANDS), 1), left.said
    assert "Traceback" not in left.said
    assert left.said.count("memory") >= 1
