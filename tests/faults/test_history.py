"""The history checker, on histories that were made up: it must see each kind of wrong, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rpa_bridge.errors import BridgeError, ConflictError, InvalidError, OutcomeUnknownError, UnavailableError
from rpa_bridge.sandbox.world import Exchange
from tests.faults.history import End, Journal, Told, Violation, Wrong, violations

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SEED = 5


def _told(end: End, *ids: str, first: int = 1, last: int = 9, for_one: bool = False) -> Told:
    return Told("k-1", first, last, end, ids, for_one)


def _exchange(number: int, *, key: str = "k-1", executed: bool = True, method: str = "POST") -> Exchange:
    return Exchange(number=number, at=NOON, face="f", method=method, path="/add", body=f'"{key}"', executed=executed)


def _wrongs(told: list[Told], made: list[str], *exchanges: Exchange) -> list[Wrong]:
    return [one.wrong for one in violations(SEED, told, {"k-1": made}, exchanges)]


@pytest.mark.parametrize(
    ("told", "made"),
    [
        ([_told(End.OK, "7")], ["7"]),
        ([_told(End.OK)], ["7"]),
        ([_told(End.UNKNOWN)], []),
        ([_told(End.UNKNOWN)], ["7"]),
        ([_told(End.FAIL, last=3)], []),
        ([_told(End.FAIL, last=3), _told(End.OK, "7", first=4)], ["7"]),
        ([_told(End.OK, "7"), _told(End.OK, "7")], ["7"]),
        ([], ["7"]),
    ],
)
def test_a_good_history_is_good(told: list[Told], made: list[str]) -> None:
    assert _wrongs(told, made, _exchange(5)) == []


def test_what_a_client_was_told_of_and_is_not_there_is_lost() -> None:
    assert _wrongs([_told(End.OK, "7")], []) == [Wrong.LOST]


@pytest.mark.parametrize("end", [End.OK, End.UNKNOWN])
def test_two_under_one_key_are_one_too_many_whatever_the_client_was_told(end: End) -> None:
    assert _wrongs([_told(end)], ["7", "8"]) == [Wrong.DOUBLED]


def test_what_a_client_was_told_had_failed_must_not_be_there() -> None:
    assert _wrongs([_told(End.FAIL)], ["7"]) == [Wrong.REFUSED_AND_DONE]


def test_a_refused_request_that_was_carried_out_late_is_seen_although_a_repeat_explains_what_is_there() -> None:
    told = [_told(End.FAIL, first=1, last=3), _told(End.OK, "7", first=4)]
    assert _wrongs(told, ["7"], _exchange(2), _exchange(5, executed=False)) == [Wrong.REFUSED_AND_DONE]
    assert _wrongs(told, ["7"], _exchange(2, executed=False), _exchange(5)) == []
    assert _wrongs(told, ["7"], _exchange(2, method="GET"), _exchange(5)) == []
    assert _wrongs(told, ["7"], _exchange(2, key="k-2"), _exchange(5)) == []


def test_what_was_only_prepared_may_have_failed() -> None:
    exchanges, told = [_exchange(2)], [_told(End.FAIL)]
    assert violations(SEED, told, {}, exchanges, preparing="/add") == []
    assert len(violations(SEED, told, {}, exchanges)) == 1


def test_the_id_of_somebody_elses_is_foreign() -> None:
    assert _wrongs([_told(End.OK, "6")], ["7"]) == [Wrong.FOREIGN]


def test_one_item_given_to_two_workers_is_shared() -> None:
    told = [_told(End.OK, "7", for_one=True), _told(End.OK, "7", for_one=True)]
    assert _wrongs(told, ["7"]) == [Wrong.SHARED]


def test_a_violation_names_seed_key_and_exchanges() -> None:
    found = violations(SEED, [_told(End.OK, "7")], {}, [_exchange(2), _exchange(3, key="k-2"), _exchange(4)])
    assert found == [Violation(SEED, "k-1", Wrong.LOST, (2, 4))]
    assert str(found[0]) == "seed 5: k-1 is lost; exchanges 2, 4"


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (None, End.OK),
        (InvalidError("no"), End.FAIL),
        (ConflictError("no"), End.FAIL),
        (UnavailableError("cut"), End.UNKNOWN),
        (OutcomeUnknownError("who knows"), End.UNKNOWN),
    ],
)
def test_a_journal_hears_from_the_error_what_a_client_knows(error: BridgeError | None, end: End) -> None:
    newest = iter((3, 3, 8, 8))
    journal = Journal(lambda: next(newest))
    with journal.asking("a", "b"):
        if error is not None:
            raise error
    assert [(one.key, one.first, one.last, one.end) for one in journal.told] == [("a", 4, 8, end), ("b", 4, 8, end)]


def test_what_never_ended_is_unknown() -> None:
    journal = Journal(lambda: 0)
    journal.asked("a")
    assert [(one.end, one.last) for one in journal.told] == [(End.UNKNOWN, None)]
