"""The quick form of a bomb; smaller ones are in tests/unit/transport/test_http_limits.py."""

from __future__ import annotations

import sys

import pytest

from tests.faults import bombs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")


async def test_a_bomb_takes_little_more_than_the_cap() -> None:
    found = await bombs.unfold()

    assert "larger than 16777216 bytes" in found.how
    assert found.mebibytes <= 32


async def test_control_aiohttp_alone_takes_it_whole() -> None:
    assert (await bombs.unfold(guard=False)).mebibytes >= 256
