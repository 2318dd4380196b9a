"""The error tree: what each one says about trying again, and that it shows nothing."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Iterator

import pytest

from rpa_bridge import errors
from rpa_bridge.errors import BridgeError, Delivery, RemoteError, UnsupportedError


def tree(kind: type[BridgeError] = BridgeError) -> Iterator[type[BridgeError]]:
    yield kind
    for narrower in kind.__subclasses__():
        if narrower.__module__ == errors.__name__:
            yield from tree(narrower)


REMOTE = [kind for kind in tree() if issubclass(kind, RemoteError)]


def test_the_tree_at_the_head_of_the_file_is_whole() -> None:
    drawn = inspect.getdoc(errors) or ""
    for kind in tree():
        assert f"{kind.__name__} " in drawn or f"{kind.__name__}\n" in drawn
        assert inspect.getdoc(kind)


def test_nothing_but_two_kinds_is_worth_trying_again() -> None:
    assert {kind.__name__ for kind in REMOTE if kind.retryable} == {"RateLimitedError", "UnavailableError"}


@pytest.mark.parametrize("kind", REMOTE)
def test_without_a_word_the_cautious_delivery_is_taken(kind: type[RemoteError]) -> None:
    unsure = {"UnavailableError", "OutcomeUnknownError", "ProtocolError"}
    error = kind("it failed")
    assert error.delivery is (Delivery.MAYBE if kind.__name__ in unsure else Delivery.REFUSED)
    assert error.maybe_applied is (kind.__name__ in unsure)
    assert (error.attempts, error.status, error.retry_after) == (1, None, None)


@pytest.mark.parametrize("kind", REMOTE)
@pytest.mark.parametrize("delivery", list(Delivery))
def test_a_word_about_delivery_is_kept(kind: type[RemoteError], delivery: Delivery) -> None:
    error = kind("it failed", delivery=delivery)
    assert error.delivery is delivery
    assert error.maybe_applied is (delivery is Delivery.MAYBE)


def test_an_error_is_its_sentence() -> None:
    error = RemoteError("jobs.start: no such queue", status=404, code="1002", request_id="r-1", retry_after=3)
    assert str(error) == "jobs.start: no such queue"
    assert error.args == ("jobs.start: no such queue",)


def test_one_error_that_must_not_be_repeated_does_not_change_its_kind() -> None:
    error = errors.UnavailableError("the log-in is down")
    error.retryable = False
    assert errors.UnavailableError.retryable


@pytest.mark.parametrize("kind", REMOTE)
def test_an_error_survives_the_way_to_another_process(kind: type[RemoteError]) -> None:
    error = kind("it failed", status=503, code="c", operation="o", delivery=Delivery.NOT_SENT, attempts=3)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is kind
    assert (str(copy), vars(copy)) == ("it failed", vars(error))


def test_what_a_platform_cannot_do_names_both() -> None:
    error = UnsupportedError("jobs.stop", adapter="local", hint="end the process yourself")
    assert str(error) == "local does not support jobs.stop; end the process yourself"
    assert str(UnsupportedError("assets", adapter="botmaestro")) == "botmaestro does not support assets"
    assert (error.feature, error.adapter) == ("jobs.stop", "local")
