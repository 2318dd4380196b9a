"""The quick form of row 21."""

from __future__ import annotations

import os

import pytest

from tests.faults.list_budget import ALLOWED, LISTS, most_in_a_minute

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks")
PROCESSES = 8
NEARLY_ALL = 70
"""Lists in a minute that at least must go, or the budget is kept by doing nothing."""


def test_processes_that_share_a_folder_ask_for_no_more_lists_than_the_platform_allows() -> None:
    found = most_in_a_minute(PROCESSES, 3, seed=21)

    assert max(found.most.values()) <= ALLOWED, "seed 21"
    assert min(found.most.values()) >= NEARLY_ALL, "seed 21"


def test_control_those_who_keep_it_to_themselves_ask_for_more() -> None:
    found = most_in_a_minute(PROCESSES, 0.5, seed=21, guard=False)

    assert min(found.most[kind] for kind in LISTS) > ALLOWED
