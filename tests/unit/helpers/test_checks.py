from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import ItemDraft
from rpa_bridge.errors import Delivery, InvalidError
from rpa_bridge.helpers.checks import (
    check_draft,
    check_inputs,
    check_moment,
    check_name,
    check_reference,
    check_values,
)

TIGHT = Limits(name_length=3, reference_length=3, item_bytes=9, input_chars=9, flat_values=True)
NAIVE = datetime(2030, 1, 1)  # noqa: DTZ001 - the input that is refused
CANARY = "canary-91c2"


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: check_name("op", "queue", " ", TIGHT), "the queue's name is empty; give one"),
        (lambda: check_name("op", "queue", "four", TIGHT), "the queue's name has 4 characters; at most 3 fit"),
        (lambda: check_reference("op", "key", "", TIGHT), "the key is empty; give one or leave it out"),
        (lambda: check_reference("op", "key", "four", TIGHT), "the key has 4 characters; at most 3 fit"),
        (lambda: check_moment("op", "due_at", NAIVE), "due_at has no time zone"),
        (lambda: check_inputs("op", {"a": "too long"}, TIGHT), "the inputs have 17 characters as JSON; at most 9 fit"),
        (lambda: check_values("op", {"a": "ää"}, TIGHT), "the values have 13 bytes as JSON; at most 9 fit"),
        (lambda: check_values("op", {"a": [CANARY]}, TIGHT), "value 'a' is a list"),
        (lambda: check_values("op", {"a": float("nan")}, Limits()), "cannot be written as JSON"),
        (lambda: check_values("op", {"a": {CANARY}}, Limits()), "cannot be written as JSON"),
        (lambda: check_values("op", {1: "a"}, Limits()), "a name that is not text"),  # type: ignore[dict-item]
        (lambda: check_draft("op", ItemDraft(values={}, reference="four"), TIGHT), "the reference has 4 characters"),
        (lambda: check_draft("op", ItemDraft(values={}, mark=f"{CANARY}\n"), TIGHT), "the mark is empty, too long, or"),
        (lambda: check_draft("op", ItemDraft(values={}, not_before=NAIVE), TIGHT), "not_before has no time zone"),
        (lambda: check_draft("op", ItemDraft(values={}, due_at=NAIVE), TIGHT), "due_at has no time zone"),
    ],
)
def test_bad_input_is_refused_before_sending_and_not_repeated(check: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check()
    assert str(caught.value).startswith("op: ")
    assert sentence in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.delivery is Delivery.NOT_SENT
    assert not caught.value.maybe_applied


def test_what_just_fits_is_let_through() -> None:
    check_name("op", "queue", "abc", TIGHT)
    check_reference("op", "key", "abc", TIGHT)
    check_reference("op", "key", None, TIGHT)
    check_moment("op", "due_at", datetime(2030, 1, 1, tzinfo=UTC))
    check_inputs("op", {"a": 12}, TIGHT)
    check_values("op", {"a": 12}, TIGHT)
    check_draft("op", ItemDraft(values={"a": [{"b": "x" * 10_000}]}, reference="r" * 10_000), Limits())
