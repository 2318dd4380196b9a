"""The quick form of rows 15 and 16. Single exchanges: tests/unit/transport/test_http.py"""

from __future__ import annotations

import pytest

from tests.faults import connections


async def test_a_request_whose_answer_is_lost_was_carried_out_once() -> None:
    found = await connections.hidden_repetition()

    assert found.requests == found.executed == 3 * 36


async def test_control_aiohttp_alone_repeats() -> None:
    found = await connections.hidden_repetition(guard=False)

    assert found.executed > found.requests * 1.2


async def test_no_doubled_answer_is_taken_as_the_next_ones() -> None:
    found = await connections.doubled_answers()

    assert (found.requests, found.reached) == (200, 200)
    assert (found.foreign_to_reads, found.foreign_to_effects) == (0, 0)


async def test_no_effect_takes_even_a_late_one() -> None:
    found = await connections.doubled_answers(late=True)

    assert found.foreign_to_effects == 0


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
async def test_no_marked_effect_takes_the_answer_to_another(late: bool) -> None:
    found = await connections.doubled_answers_to_marked(late=late)

    assert (found.requests, found.reached, found.foreign) == (200, 200, 0)
    assert found.refused == (1 if late else 0), "whoever has seen one shares no connection any more"


async def test_control_aiohttp_alone_takes_answers_to_other_effects() -> None:
    found = await connections.doubled_answers_to_marked(late=True, guard=False)

    assert found.foreign > 10


async def test_no_look_on_which_an_effect_depends_takes_a_late_one() -> None:
    found = await connections.doubled_answers(late=True, own_connections=True)
    control = await connections.doubled_answers(late=True)

    assert (found.foreign_to_reads, found.foreign_to_effects) == (0, 0)
    assert control.foreign_to_reads > 10


async def test_control_aiohttp_alone_takes_foreign_answers() -> None:
    found = await connections.doubled_answers(guard=False)
    late = await connections.doubled_answers(late=True, guard=False)

    assert found.foreign_to_reads > 10
    assert late.foreign_to_effects > 10
