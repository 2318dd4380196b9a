"""What becomes of BotMaestro's failures: the type, the platform's words, and the mend."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rpa_bridge import (
    AuthError,
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.errors import Delivery
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.classify import Classify
from rpa_bridge_botmaestro.errors import LONGEST, explain

REQUEST = Request("POST", "/log", effect=Effect.BLIND, operation="logs.create")


class Nowhere:
    async def send(self, request: Request) -> Response:
        raise AssertionError(request)

    async def aclose(self) -> None:
        raise AssertionError


def error_of(status: int, body: Any, media_type: str = "application/json") -> RemoteError:
    """The error for an answer; a body that is text is sent as it is."""
    content = body if isinstance(body, str) else json.dumps(body)
    response = Response(status, {"content-type": media_type}, content.encode())
    error = Classify(Nowhere(), explain, ManualClock()).error_of(REQUEST, response)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"message": "Not possible."}, "Not possible"),
        ({"message": "Not possible", "details": "Not possible"}, "Not possible"),
        ({"message": "Not possible", "details": "The pool is full."}, "Not possible: The pool is full"),
        ({"details": "The pool\n is full"}, "The pool is full"),
        ({"message": None, "details": ["x"]}, "the platform answered 400 without a reason"),
        ({"message": " "}, "the platform answered 400 without a reason"),
        ({}, "the platform answered 400 without a reason"),
        ("", "the platform answered 400 without a reason"),
        ([1], "the platform answered 400 without a reason"),
        ('"said as JSON text"', "said as JSON text"),
    ],
)
def test_the_platforms_own_words_are_passed_on(body: Any, sentence: str) -> None:
    error = error_of(400, body)
    assert str(error) == f"logs.create: {sentence}"
    assert isinstance(error, InvalidError)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("The pool is full.\n", "The pool is full"),
        ("", "the platform answered 400 without a reason"),
        ("<!DOCTYPE html><title>no</title>", "the platform answered 400 without a reason"),
    ],
)
def test_a_plain_text_is_passed_on_too(text: str, sentence: str) -> None:
    assert str(error_of(400, text, "text/plain; charset=utf-8")) == f"logs.create: {sentence}"


@pytest.mark.parametrize(
    ("status", "kind", "mend"),
    [
        (401, AuthError, r"check login and key in the settings, or `rpa-bridge auth clear`"),
        (403, DeniedError, "give this user the right in the workspace"),
        (404, NotFoundError, "said so"),
        (409, ConflictError, "said so"),
        (429, RateLimitedError, "said so"),
        (500, UnavailableError, "said so"),
    ],
)
def test_a_status_has_its_type_and_its_mend(status: int, kind: type[RemoteError], mend: str) -> None:
    error = error_of(status, {"message": "said so"})
    assert type(error) is kind
    assert error.status == status
    assert mend in str(error)
    assert "said so" in str(error)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_label_that_is_taken_is_a_conflict(status: int) -> None:
    error = error_of(status, {"message": "Log 'a' already exists", "details": "Label already exists"})
    assert type(error) is ConflictError
    assert "choose another label" in str(error)
    assert not error.maybe_applied


def test_a_server_that_fails_is_down_whatever_it_says_of_labels() -> None:
    error = error_of(500, {"message": "Label already exists"})
    assert type(error) is UnavailableError
    assert error.delivery is Delivery.MAYBE


def test_secrets_and_control_characters_do_not_come_through_and_long_texts_are_cut() -> None:
    REDACTOR.add("secret-of-the-errors-4711")
    told = str(error_of(400, {"message": "no\x1b[31m secret-of-the-errors-4711 " + "x" * 5000}))
    assert "secret-of-the-errors" not in told
    assert "\x1b" not in told
    assert len(told) <= len("logs.create: ") + LONGEST
