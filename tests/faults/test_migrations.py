"""The quick form of rows 3 to 6 and 28: migrations whose processes are killed and stopped, on spoilt disks."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import rpa_bridge.migration

from .migration_labels import AWAY, BACK
from .migrations import crashed, killed, slope, streamed, torn, zombies

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks")
SOURCES = Path(rpa_bridge.migration.__file__).parent


def test_processes_that_are_killed_at_random_lose_and_double_nothing() -> None:
    found = killed(12, 300, 1)

    assert found.faults == []
    assert found.kills == 12


def test_control_without_the_settle_window_items_are_doubled() -> None:
    assert killed(300, 400, 2, guard=False).doubled, "a busy machine only takes more of them"


def test_a_process_can_die_at_each_point_of_a_migration_and_nothing_is_lost_or_doubled() -> None:
    found = crashed(1, 1)

    assert found.faults == []
    assert set(found.deaths) == {*AWAY, *BACK}


def test_control_who_does_not_look_for_what_was_perhaps_sent_doubles_it() -> None:
    assert crashed(1, 1, guard=False).doubled


def test_each_point_at_which_a_crash_would_be_awkward_is_died_at() -> None:
    told = {label for file in SOURCES.rglob("*.py") for label in re.findall(r'reached\("(.+?)"\)', file.read_text())}

    assert told == {*AWAY, *BACK}


def test_a_journal_that_is_spoilt_between_two_lives_loses_and_doubles_nothing() -> None:
    found = torn(8, 80, 1)

    assert found.faults == []
    assert found.tears == 8


def test_control_who_does_not_look_what_became_of_the_journal_loses_or_doubles() -> None:
    assert torn(40, 80, 1, guard=False).faults


def test_one_that_was_stopped_and_taken_over_sends_nothing_any_more() -> None:
    found = zombies(3, 200, 1)

    assert found.faults == []
    assert found.refused


def test_control_one_that_does_not_ask_sends_on() -> None:
    assert zombies(30, 200, 1, guard=False).doubled


def test_memory_does_not_grow_with_the_items() -> None:
    found = streamed(10_000, "home")

    assert found.faults == []
    assert max(slope(memory) for memory in found.memory.values()) < 1.0, found.memory


def test_control_one_that_keeps_what_it_reads_grows() -> None:
    found = streamed(10_000, "home", guard=False)

    assert slope(found.memory["copying"]) > 1.0
