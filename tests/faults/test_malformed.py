"""The quick form of row 12."""

from __future__ import annotations

import pytest

from tests.faults import malformed

VENDORS = ("uipath", "botmaestro")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_spoilt_answer_ends_in_a_typed_error_or_makes_sense(vendor: str) -> None:
    found = await malformed.in_memory(vendor)

    assert not found.untyped
    assert found.calls >= 1500
    assert found.errors["ProtocolError"] > found.calls / 10
    assert found.answered > found.calls / 10


@pytest.mark.parametrize("vendor", VENDORS)
async def test_and_so_it_does_over_sockets_in_every_layout(vendor: str) -> None:
    found = await malformed.over_sockets(vendor)

    assert not found.untyped
    assert found.errors["ProtocolError"] > found.calls / 10


@pytest.mark.parametrize("vendor", VENDORS)
async def test_control_who_trusts_answers_stumbles(vendor: str) -> None:
    found = await malformed.in_memory(vendor, 500, guard=False)

    assert found.untyped
