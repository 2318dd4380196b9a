"""The quick form of row 13. The plug-in in tests/canaries looks after all other tests."""

from __future__ import annotations

import pytest

from tests.faults import shown


def test_no_command_shows_a_secret_on_any_day() -> None:
    found = shown.by_commands()

    assert not found.found
    assert found.canaries >= 60
    assert found.characters > 100_000


@pytest.mark.shows_secrets("log", "output", why="it is the control")
def test_control_who_logs_requests_shows_them() -> None:
    assert len(shown.by_commands(40, guard=False).found) > 5
