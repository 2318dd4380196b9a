"""Secrets have no face: not by value, not by name, in no encoding, and no log line can be forged."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import timeit
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpa_bridge.redaction import MASK, SHORTEST_SECRET, RedactingFilter, Redactor

SECRET = 'p4ss/w+rd="ä\\ö" 100%'

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 behind a user": lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(),
    "base64 behind one more": lambda secret: base64.b64encode(f"user1:{secret}".encode()).decode(),
    "base64 behind two more": lambda secret: base64.b64encode(f"user12:{secret}".encode()).decode(),
    "base64 within a text": lambda secret: base64.b64encode(f"user12:{secret}, and more".encode()).decode(),
    "percent": lambda secret: quote(secret, safe=""),
    "percent in lower case": lambda secret: re.sub("%..", lambda hit: hit[0].lower(), quote(secret, safe="")),
    "percent in a path": quote,
    "a form": quote_plus,
    "JSON": json.dumps,
    "a repr": repr,
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "hex": lambda secret: secret.encode().hex(),
    "hex in capitals": lambda secret: secret.encode().hex().upper(),
    "JSON of other languages": lambda secret: json.dumps(secret).replace("/", r"\/"),
    "a repr of bytes": lambda secret: repr(secret.encode()),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("secret", [SECRET, "sixsix", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"])
def test_a_known_secret_is_masked_in_every_encoding(secret: str, encode: Callable[[str], str]) -> None:
    redactor = Redactor()
    redactor.add(secret)
    cleaned = redactor.clean(f"before {encode(secret)} after")
    assert MASK in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    for encoding in ENCODINGS.values():
        assert encoding(secret) not in cleaned


def test_control_an_unknown_value_is_left_alone() -> None:
    redactor = Redactor()
    redactor.add("another secret")
    assert redactor.clean("an ordinary sentence about job 17 in 'Finance'") == (
        "an ordinary sentence about job 17 in 'Finance'"
    )


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=SHORTEST_SECRET, max_size=30),
    around=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10),
)
def test_no_secret_whatever_survives(secret: str, around: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    assert secret not in redactor.clean(f"{around}\n{secret}\n{around}").replace(around, "").replace(MASK, "")
    assert base64.b64encode(secret.encode()).decode().rstrip("=") not in redactor.clean(
        f"Basic {base64.b64encode(secret.encode()).decode()}"
    )


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    redactor = Redactor()
    redactor.add("secret-one")
    redactor.add("secret-one-and-more")
    assert redactor.clean("it is secret-one-and-more") == f"it is {MASK}"


def test_a_short_value_does_not_mask_words() -> None:
    redactor = Redactor()
    redactor.add("admin")
    assert redactor.clean("the administrator") == "the administrator"


def test_what_is_used_is_not_what_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpa_bridge.redaction.MOST_SECRETS", 10)
    redactor = Redactor()
    redactor.add("the-client-secret")
    for number in range(20, 40):
        redactor.add(f"renewed-{number}")
        redactor.add("the-client-secret")
    assert redactor.clean("the-client-secret renewed-39 renewed-20") == f"{MASK} {MASK} renewed-20"


@pytest.mark.parametrize("passing_before", [True, False])
def test_what_lasts_is_not_forgotten_for_what_passes(monkeypatch: pytest.MonkeyPatch, passing_before: bool) -> None:
    monkeypatch.setattr("rpa_bridge.redaction.MOST_SECRETS", 10)
    redactor = Redactor()
    if passing_before:
        redactor.add("the-client-secret")
    redactor.add("the-client-secret", lasting=True)
    redactor.add("the-client-secret")
    for number in range(20, 40):
        redactor.add(f"renewed-{number}")
    assert redactor.clean("the-client-secret renewed-39 renewed-20") == f"{MASK} {MASK} renewed-20"


def test_what_two_secrets_share_stays_hidden_when_one_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpa_bridge.redaction.MOST_SECRETS", 2)
    redactor = Redactor()
    for secret in ("shared secret", "shared%20secret", "another secret"):
        redactor.add(secret)
    assert redactor.clean("shared%20secret, shared secret") == f"{MASK}, shared secret"


def test_thousands_of_secrets_cost_a_line_what_one_costs() -> None:
    few, many = Redactor(), Redactor()
    few.add("one secret alone")
    for number in range(2000):
        many.add(f"{number:04} is the number of a secret")
    line = "uipath jobs.start: POST /odata/Jobs/UiPath.Server.Configuration.OData.StartJobs -> 201 (143 ms)"
    cost = [min(timeit.repeat(partial(one.line, line), number=100, repeat=5)) for one in (few, many)]
    assert cost[1] < cost[0] * 5  # one alternative after the other: hundreds of times as much


CANARY = "c4n4ry"
NAMED = {
    "a header": f"Authorization: Bearer {CANARY}",
    "a header of another scheme": f"authorization: Basic {CANARY}",
    "a header without a scheme": f"token: {CANARY}",
    "a header with a prefix": f"X-Api-Token: {CANARY}",
    "cookies": f"Cookie: a={CANARY}; session={CANARY}",
    "cookies that are set": f"Set-Cookie: session={CANARY}; Path=/; HttpOnly",
    "a dict of headers": str({"Authorization": f"Bearer {CANARY}", "Accept": "x"}),
    "a dict of quotes": str({"password": f'it\'s {CANARY} "quoted" {CANARY}'}),
    "JSON": json.dumps({"access_token": CANARY, "expires_in": 1}),
    "JSON with quotes inside": json.dumps({"password": f'a"{CANARY}"b {CANARY}'}),
    "JSON with spaces": f'{{"client_secret" : "{CANARY} {CANARY}"}}',
    "JSON in JSON": json.dumps({"body": json.dumps({"password": f"a {CANARY}"})}),
    "JSON in JSON in JSON": json.dumps(json.dumps({"body": json.dumps({"password": f'a "{CANARY}"'})})),
    "JSON in JSON that is cut off": rf"{{\"password\": \"{CANARY}",
    "JSON that is cut off": f'{{"password": "{CANARY}',
    "a token that is called result": json.dumps({"result": CANARY}),
    "camel case": json.dumps({"accessToken": CANARY, "refreshToken": CANARY, "clientSecret": CANARY}),
    "a query": f"https://host/x?a=1&token={CANARY}&b=2",
    "a signed address": f"https://store/x?sv=1&sig={CANARY}&se=2",
    "a signed address of Amazon": f"https://s3/x?X-Amz-Signature={CANARY}&X-Amz-Security-Token={CANARY}",
    "a form": urlencode({"client_secret": CANARY, "grant_type": "client_credentials"}),
    "a setting": f"api_key={CANARY}",
    "the community's file": json.dumps({"UserKey": CANARY, "ClientId": "x", "id_token": CANARY}),
    "a code verifier": f"code_verifier={CANARY}",
    "an argument": f"--password={CANARY}",
    "bytes": str({b"Authorization": f"Bearer {CANARY}".encode(), "password": CANARY.encode()}),
    "a robot's log-in": f"Authorization: UiRobot {CANARY}",
    "an asset": json.dumps({"CredentialPassword": CANARY, "SecretValue": CANARY, "secretText": CANARY}),
    "keys of machines": json.dumps(
        {"LicenseKey": CANARY, "robotKey": CANARY, "machine_key": CANARY, "user-key": CANARY}
    ),
    "a connection string": f"AccountName=acme;AccountKey={CANARY};SharedAccessKey={CANARY};Pwd={CANARY}",
    "a code in a form": f"grant_type=authorization_code&code={CANARY}&client_assertion={CANARY}",
    "an address": f"got https://store.example/a/b?se=1&anything={CANARY} once",
    "an address in JSON": json.dumps({"Uri": f"https://store.example/a?x={CANARY}", "Verb": "GET"}),
    "an address in JSON of other languages": rf'{{"u":"https://s.example/a?x=1\u0026y={CANARY}"}}',
    "an address with a user": f"proxy http://acme:{CANARY}@proxy.example:3128 refused",
    "an address of a store": f"rediss://:{CANARY}@cache.example:6379/0",
}


@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED.keys())
def test_a_value_behind_a_telling_name_is_masked(text: str) -> None:
    cleaned = Redactor().clean(text)
    assert CANARY not in cleaned
    assert MASK in cleaned


def test_what_stands_beside_a_masked_value_stays() -> None:
    assert Redactor().clean("GET /x?a=1&token=abc&b=2 -> 200") == f"GET /x?a=1&token={MASK}&b=2 -> 200"
    assert Redactor().clean('{"password": "x", "user": "anna"}') == f'{{"password": {MASK}, "user": "anna"}}'
    assert Redactor().clean('"https://h:1/a/b?sig=abc&x=1", then') == f'"https://h:1/a/b?{MASK}", then'
    assert Redactor().clean("see https://docs.example/errors#e1 (code=1002)") == (
        "see https://docs.example/errors#e1 (code=1002)"
    )


@pytest.mark.parametrize("text", ["monkey=banana", "the keyboard: broken", "a token was renewed", "results=5"])
def test_words_that_only_look_alike_stay(text: str) -> None:
    assert Redactor().clean(text) == text


def test_cleaning_twice_is_cleaning_once() -> None:
    redactor = Redactor()
    redactor.add(SECRET)
    for text in (*NAMED.values(), f"a {SECRET} b", "x\r\ny\x1b[31m", "https://a:b@h/p?q=1"):
        assert redactor.clean(redactor.clean(text)) == redactor.clean(text)


def test_what_a_terminal_would_obey_is_made_visible() -> None:
    cleaned = Redactor().clean("a\rb\x1b[31mc\x9b31m\0d\te\nf")
    assert cleaned == "a\\x0db\\x1b[31mc\\x9b31m\\x00d\te\nf"
    assert Redactor().line("a\r\nb") == "a\\x0d\\x0ab"


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, io.StringIO, Redactor]]:
    """A logger of its own behind the filter, and what it wrote."""
    redactor, written = Redactor(), io.StringIO()
    redactor.add(SECRET)
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter(redactor))
    logger = logging.getLogger("rpa_bridge.test_redaction")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger, written, redactor
    logger.removeHandler(handler)
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


Logged = tuple[logging.Logger, io.StringIO, Redactor]


def test_the_log_gets_no_secret_from_message_or_arguments(logged: Logged) -> None:
    logger, written, _ = logged
    logger.info("said %s", SECRET)
    logger.info(f"said {SECRET}")  # noqa: G004 - that somebody does this is the point
    logger.info("said %s", {"password": "x-" + CANARY})
    assert SECRET not in written.getvalue()
    assert CANARY not in written.getvalue()
    assert written.getvalue().count(MASK) == 3


@pytest.mark.parametrize("breaker", ["\n", "\r\n", "\r", "\x1b[2K\x1b[1A", "\x85", "\x0b", "\x0c"])
def test_an_argument_cannot_forge_a_line(logged: Logged, breaker: str) -> None:
    logger, written, _ = logged
    logger.info("user %s", f"x{breaker}CRITICAL all is lost")
    assert len(written.getvalue().splitlines()) == 1
    assert written.getvalue().startswith("INFO user x\\x")


def test_tracebacks_are_cleaned_and_cannot_forge_a_line(logged: Logged) -> None:
    logger, written, _ = logged
    try:
        raise ValueError(f"{SECRET}\nCRITICAL forged\x1b[31m")
    except ValueError:
        logger.exception("it failed")
    lines = written.getvalue().splitlines()
    assert lines[0] == "ERROR it failed"
    assert all(line.startswith("    ") for line in lines[1:])
    assert "    CRITICAL forged\\x1b[31m" in lines
    assert SECRET not in written.getvalue()
    assert "Traceback (most recent call last)" in written.getvalue()


def test_a_cause_is_cleaned_as_well(logged: Logged) -> None:
    logger, written, _ = logged
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        logger.exception("it failed")
    assert "direct cause" in written.getvalue()
    assert "p4ss/w+rd" not in written.getvalue()


def test_the_stack_is_cleaned(logged: Logged) -> None:
    logger, written, redactor = logged
    redactor.add("test_the_stack_is_cleaned")
    logger.info("here", stack_info=True)
    assert "Stack (most recent call last)" in written.getvalue()
    assert "test_the_stack_is_cleaned" not in written.getvalue()


def test_a_text_that_was_made_of_a_traceback_before_is_cleaned(logged: Logged) -> None:
    logger, written, _ = logged
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 1, "it failed", (), None)
    record.exc_text = f"Traceback\nValueError: {SECRET}"
    logger.handle(record)
    assert written.getvalue() == f"ERROR it failed\n    Traceback\n    ValueError: {MASK}\n"


@pytest.mark.parametrize(("message", "arguments"), [("%d", ("x",)), ("%s %s", ("x",)), ("%(a)s", ({"b": 1},))])
def test_arguments_that_do_not_fit_break_nothing(logged: Logged, message: str, arguments: tuple[object, ...]) -> None:
    logger, written, _ = logged
    logger.info(message, *arguments)
    logger.info("%d", SECRET)
    assert message in written.getvalue()
    assert SECRET not in written.getvalue()


def test_an_argument_that_cannot_be_shown_breaks_nothing(logged: Logged) -> None:
    class Odd:
        def __str__(self) -> str:
            raise LookupError(SECRET)

    logger, written, _ = logged
    logger.info("got %s", Odd())
    assert written.getvalue() == "INFO got %s (its arguments do not fit)\n"


def test_what_a_program_adds_to_a_record_is_cleaned(logged: Logged) -> None:
    logger, written, _ = logged
    logger.handlers[0].setFormatter(logging.Formatter("%(message)s %(token)s %(headers)s %(job)s"))
    logger.info("sent", extra={"token": CANARY, "headers": {"x": SECRET, "Authorization": CANARY}, "job": 17})
    assert SECRET not in written.getvalue()
    assert CANARY not in written.getvalue()
    assert written.getvalue().startswith("sent *** {'x': '***', 'Authorization': ***} 17")
