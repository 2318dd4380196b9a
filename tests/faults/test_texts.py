"""The quick form of row 24."""

from __future__ import annotations

import pytest

from tests.faults.texts import TRIPS, round_trips


@pytest.mark.parametrize("kind", TRIPS)
def test_every_text_arrives_as_it_was_sent(kind: str) -> None:
    found = round_trips(kind)

    assert found.texts >= 500
    assert found.refused < found.texts / 2
    assert found.broken is None


@pytest.mark.parametrize("kind", TRIPS)
def test_control_a_text_that_is_put_in_by_hand_does_not(kind: str) -> None:
    assert round_trips(kind, guard=False).broken is not None
