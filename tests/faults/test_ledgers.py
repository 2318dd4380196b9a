"""The quick form of row 5, and of the journal's part of rows 3 and 6."""

from __future__ import annotations

import os

import pytest

from tests.faults.ledgers import killed, torn, zombies

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks")


def test_a_spoilt_journal_is_refused_or_nothing_is_lost_or_sent_twice() -> None:
    found = torn(60, 5)

    assert found.doubled == []
    assert found.lost == []
    assert found.stumbled == []
    assert min(found.refused, found.whole, found.doubted) > 0


def test_control_a_journal_that_nobody_looks_at_sends_twice() -> None:
    assert torn(30, 5, guard=False).doubled


@forks
def test_what_a_killed_process_was_told_is_written_is_there() -> None:
    assert killed(6, 3) == []


@forks
def test_a_process_that_was_stopped_and_taken_over_sends_nothing_any_more() -> None:
    found = zombies(8, 6)

    assert found.doubled == []
    assert found.lost == []
    assert found.late == []
    assert found.refused > 0


@forks
def test_control_one_that_does_not_ask_sends_on() -> None:
    found = zombies(8, 6, guard=False)

    assert found.late
