"""The quick form of row 23."""

from __future__ import annotations

import pytest

from tests.faults.state_machines import MACHINES, walk

WALKS = 40


@pytest.mark.parametrize("machine", MACHINES)
def test_however_it_is_used_it_does_as_the_model_says(machine: str) -> None:
    found = walk(machine, WALKS)

    assert found.difference is None, found.difference
    assert found.walks >= WALKS


@pytest.mark.parametrize("machine", MACHINES)
def test_control_what_is_broken_is_found(machine: str) -> None:
    assert walk(machine, 10 * WALKS, guard=False).difference is not None
