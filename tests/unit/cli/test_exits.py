from __future__ import annotations

import inspect

import pytest

from rpa_bridge import errors
from rpa_bridge.cli.exits import MEANINGS, Exit, exit_code
from rpa_bridge.errors import BridgeError, NotFoundError

ALL_ERRORS = [
    one
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, BridgeError) and one is not BridgeError
]


def test_every_code_has_one_meaning() -> None:
    assert [meaning.code for meaning in MEANINGS] == list(Exit)


def test_no_error_stands_twice_in_the_table() -> None:
    listed = [error for meaning in MEANINGS for error in meaning.errors]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("error", ALL_ERRORS)
def test_every_error_ends_in_a_code_that_is_not_success(error: type[BridgeError]) -> None:
    assert exit_code(error.__new__(error)) not in (Exit.OK, Exit.DIFFERS, Exit.JOB_FAILED, Exit.INTERRUPTED)


def test_an_error_below_a_listed_one_has_its_code() -> None:
    class NoQueueError(NotFoundError):
        pass

    assert exit_code(NoQueueError("no")) is Exit.NOT_FOUND
