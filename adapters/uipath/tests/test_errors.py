"""What UiPath's failures become: the type, the code, and one sentence with the mend. docs: uipath.md 5.1 and 5.2"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rpa_bridge import (
    AuthError,
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.errors import Delivery
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.classify import Classify
from rpa_bridge_uipath.errors import CODES, LONGEST, LONGEST_CODE, explain

CALL = Request("POST", "/odata/Jobs(5)", effect=Effect.READ, operation="jobs.get")
LOGIN = Request("POST", "https://host/token", effect=Effect.SET, operation="auth.login", signed=False)
CANARY = "canary-4711-hunter2"


def error(
    status: int, body: Any, *, request: Request = CALL, media_type: str = "application/json", retry_after: str = ""
) -> RemoteError:
    """The error that an answer becomes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(status, {"content-type": media_type, "retry-after": retry_after}, content)
    found = Classify(None, explain, ManualClock()).error_of(request, response)  # type: ignore[arg-type]  # it sends nothing here
    assert found is not None
    assert str(found).startswith(f"{request.operation}: ")
    assert "\n" not in str(found)
    return found


def usual(code: int, message: str = "It is so.") -> dict[str, Any]:
    """The usual shape."""
    return {"message": message, "errorCode": code, "traceId": "t", "resourceIds": None, "details": None}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "sentence"),
    [
        (404, usual(1002, "The job does not exist."), NotFoundError, "1002", "The job does not exist; it does not"),
        (409, {"Message": "Taken.", "ErrorCode": 1001}, ConflictError, "1001", "Taken; the name is taken; choose"),
        (403, {"errorMessage": "Scope(s) 'a' is(are) invalid."}, DeniedError, None, "invalid; give this identity"),
        (
            400,
            {"result": None, "success": False, "error": {"code": 1009, "message": "No.", "details": []}, "__abp": True},
            InvalidError,
            "1009",
            "jobs.get: No",
        ),
        (
            503,
            {"StatusCode": 503, "StatusDescription": "Unavailable", "Message": "Later."},
            UnavailableError,
            "503",
            "jobs.get: Later",
        ),
        (503, {"StatusCode": 503, "StatusDescription": "Unavailable"}, UnavailableError, "503", "Unavailable"),
        (
            400,
            {"type": "about:blank", "title": "It is not valid.", "status": 400, "errors": {"Name": ["x"], "Id": []}},
            InvalidError,
            None,
            r"It is not valid \(look at Name, Id\)",
        ),
        (401, {"error": "invalid_token", "error_description": "x"}, AuthError, None, "invalid_token; the token was"),
        (400, {"result": {"errors": ["no"]}}, InvalidError, None, "refused without a reason"),
        (401, b"", AuthError, None, "the token was refused; check auth in the settings"),
        (403, b"", DeniedError, None, "scope and the folder role"),
        (404, b"", NotFoundError, None, r"does not know /odata/Jobs\(5\): it is not in this folder, or the address"),
        (400, b"", InvalidError, None, "answered 400 without a reason; check what was asked for"),
        (429, b"slow", RateLimitedError, None, "slow down"),
        (502, b"Bad Gateway", UnavailableError, None, "answered 502 without a reason; try again later"),
        (500, ["a", "list"], UnavailableError, None, "answered 500 without a reason"),
        (418, b"", ProtocolError, None, "418"),
    ],
)
def test_every_shape_of_a_failure_becomes_its_error(
    status: int, body: Any, kind: type[RemoteError], code: str | None, sentence: str
) -> None:
    found = error(status, body)
    assert type(found) is kind
    assert (found.status, found.code, found.operation) == (status, code, "jobs.get")
    assert re.search(sentence, str(found))


@pytest.mark.parametrize(
    ("status", "kind"), [(200, ProtocolError), (403, ProtocolError), (401, AuthError), (404, NotFoundError)]
)
def test_a_web_page_names_the_address(status: int, kind: type[RemoteError]) -> None:
    found = error(status, b"<!DOCTYPE html>", media_type="text/html; charset=utf-8")
    assert type(found) is kind
    assert "check the address in the settings" in str(found)


@pytest.mark.parametrize(
    ("status", "code", "kind", "mend"),
    [
        (400, 1100, NotFoundError, "check `folder` in the settings"),
        (400, 1101, InvalidError, "set `folder` in the settings"),
        (409, 1001, ConflictError, "choose another"),
        (404, 1002, NotFoundError, "does not exist in this folder"),
        (409, 1230, ConflictError, "unattended robot"),
        (409, 1302, ConflictError, "robot of this identity"),
        (400, 1500, InvalidError, "needs its password"),
        (409, 1671, ConflictError, "unattended user"),
        (409, 2818, ConflictError, "machine with an Unattended"),
        (400, 1671, ConflictError, "unattended user"),
    ],
)
def test_a_known_code_has_its_mend(status: int, code: int, kind: type[RemoteError], mend: str) -> None:
    found = error(status, usual(code))
    assert type(found) is kind
    assert mend in str(found)
    assert found.delivery is Delivery.REFUSED


@pytest.mark.parametrize("code", [0, 1000, 9999])
def test_a_code_without_a_mend_keeps_the_platforms_sentence(code: int) -> None:
    assert str(error(400, usual(code, "startInfo must not be null."))) == "jobs.get: startInfo must not be null"


@pytest.mark.parametrize("code", [int(code) for code in CODES])
def test_no_code_turns_who_we_are_or_come_back_later_into_something_else(code: int) -> None:
    assert type(error(401, usual(code))) is AuthError
    assert type(error(403, usual(code))) is DeniedError
    assert type(error(429, usual(code))) is RateLimitedError
    broken = error(500, usual(code))
    assert type(broken) is UnavailableError
    assert broken.delivery is Delivery.MAYBE


@pytest.mark.parametrize(
    ("request_", "status", "kind"),
    [
        (LOGIN, 400, AuthError),
        (LOGIN, 429, RateLimitedError),
        (LOGIN, 500, UnavailableError),
        (CALL, 400, InvalidError),
        (CALL, 404, NotFoundError),
        (CALL, 500, UnavailableError),
    ],
)
def test_an_oauth_error_is_about_the_log_in_only_at_the_log_in(
    request_: Request, status: int, kind: type[RemoteError]
) -> None:
    found = error(status, {"error": "invalid_client"}, request=request_)
    assert type(found) is kind
    assert ("identity server" in str(found)) == (kind is AuthError)


def test_a_wait_that_the_platform_asks_for_is_passed_on() -> None:
    assert error(429, usual(0), retry_after="17").retry_after == 17


@pytest.mark.parametrize(
    "body",
    [
        usual(0, "x" * 100_000),
        {"message": "x" * 100_000, "errorCode": "y" * 100_000},
        {"title": "x" * 100_000, "errors": {"z" * 100_000: []}},
        {"error": "x" * 100_000},
    ],
)
@pytest.mark.parametrize("request_", [CALL, LOGIN])
def test_long_texts_are_cut(body: dict[str, Any], request_: Request) -> None:
    found = error(400, body, request=request_)
    assert len(str(found)) < LONGEST + LONGEST_CODE + 200
    assert len(found.code or "") <= LONGEST_CODE


@pytest.mark.parametrize("where", ["message", "errorMessage", "title", "error", "errorCode"])
@pytest.mark.parametrize("request_", [CALL, LOGIN])
def test_a_secret_that_the_platform_gives_back_goes_no_further(where: str, request_: Request) -> None:
    REDACTOR.add(CANARY)
    found = error(400, {where: f"wrong {CANARY}", "details": CANARY}, request=request_)
    assert CANARY not in str(found) + repr(found) + str(found.code) + repr(vars(found))


def test_the_platforms_sentence_cannot_forge_a_line_or_colour_the_screen() -> None:
    found = error(400, usual(0, "first\r\n\x1b[31msecond\x00"))
    assert str(found).isprintable()
