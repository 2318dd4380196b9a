"""How long a token is good for, and how one is read from an answer."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from rpa_bridge.auth.token import Phases
from rpa_bridge.auth.tokens import Freshness, Token, token_from
from rpa_bridge.errors import ProtocolError
from rpa_bridge.redaction import REDACTOR

BORN = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = 3600.0


def token(lifetime: float = HOUR) -> Token:
    return Token(SecretStr("token-in-question"), BORN, BORN + timedelta(seconds=lifetime), 1000.0)


def read(value: object = "token-in-question", lifetime: object = None) -> Token:
    return token_from(value, lifetime=lifetime, default_lifetime=1800.0, sent_at=BORN, sent_monotonic=1000.0)


def jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("lifetime", "ahead", "phases"),
    [
        (60.0, 1.0, Phases(33.0, 45.0, 54.0)),
        (60.0, 0.5, Phases(39.0, 45.0, 54.0)),
        (3600.0, 1.0, Phases(2580.0, 3300.0, 3590.0)),
        (3600.0, 0.5, Phases(2940.0, 3300.0, 3590.0)),
        (86_400.0, 1.0, Phases(85_200.0, 86_100.0, 86_390.0)),
        (86_400.0, 0.5, Phases(85_650.0, 86_100.0, 86_390.0)),
    ],
)
def test_the_margins_are_fractions_of_the_lifetime(lifetime: float, ahead: float, phases: Phases) -> None:
    assert Phases.of(lifetime, ahead) == phases


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0.0, Freshness.FRESH),
        (2579.9, Freshness.FRESH),
        (2580.0, Freshness.AGING),
        (3299.9, Freshness.AGING),
        (3300.0, Freshness.STALE),
        (3589.9, Freshness.STALE),
        (3590.0, Freshness.DEAD),
        (1e9, Freshness.DEAD),
    ],
)
def test_a_token_ages_by_whichever_clock_says_it_is_older(age: float, expected: Freshness) -> None:
    later = BORN + timedelta(seconds=age)

    assert token().freshness(later, 1000.0 + age) is expected
    assert token().freshness(later, 1000.0) is expected
    assert token().freshness(BORN, 1000.0 + age) is expected


def test_a_token_from_the_future_is_dead_unless_the_clocks_merely_differ() -> None:
    assert token().freshness(BORN - timedelta(seconds=59), 1000.0) is Freshness.FRESH
    assert token().freshness(BORN - timedelta(seconds=61), 1000.0) is Freshness.DEAD


def test_a_token_has_no_face() -> None:
    shown = f"{token()!r} {token()} {[token()]} {token().fingerprint}"

    assert "token-in-question" not in shown
    assert token().fingerprint in repr(token())
    assert "2030-01-01T01:00:00Z" in repr(token())
    assert len(token().fingerprint) == 8
    assert REDACTOR.clean("it says token-in-question here") == "it says *** here"


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_token_cannot_be_pickled_and_so_written_in_clear_by_others(write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="in clear"):
        write({"a plan": [token()]})


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(1, 1), (3600, 3600), ("3600", 3600), ("086400", 86_400), (604_800, 604_800), (None, 1800)],
)
def test_the_lifetime_is_what_the_answer_says_counted_from_the_request(told: object, seconds: float) -> None:
    made = read(lifetime=told)

    assert (made.obtained_at, made.obtained_monotonic) == (BORN, 1000.0)
    assert made.expires_at == BORN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "told",
    [0, -1, 604_801, 10**30, True, 3600.0, float("nan"), "", "0", "-5", "1e3", "3_600", " 60", "٣٦٠٠", "soon", [], {}],
)
def test_a_lifetime_that_cannot_be_is_a_protocol_error(told: object) -> None:
    with pytest.raises(ProtocolError, match="between one second and seven days"):
        read(lifetime=told)


@pytest.mark.parametrize(
    ("claims", "seconds"),
    [
        ({"iat": 1_000_000, "exp": 1_000_600}, 600.0),
        ({"iat": 1_000_000.5, "exp": 1_000_601.0}, 600.5),
        ({"iat": 1_000_000, "exp": 1_000_000 + 30 * 86_400}, 1800.0),
        ({"iat": 1_000_600, "exp": 1_000_000}, 1800.0),
        ({"exp": 1_000_600}, 1800.0),
        ({"iat": "a", "exp": "b"}, 1800.0),
        ({"iat": 0, "exp": 10**400}, 1800.0),
        ([1, 2], 1800.0),
        ("text", 1800.0),
    ],
)
def test_without_a_word_in_the_answer_a_jwt_tells_its_own_life_if_it_can(claims: Any, seconds: float) -> None:
    assert read(jwt(claims)).lifetime == seconds


@pytest.mark.parametrize(
    "value", ["a.b", "a.b.c.d", "a.!!!.c", "..", f"a.{'A' * 9}.c", "a.ew.c", f"a.{'W1tb' * 300}.c"]
)
def test_what_only_looks_like_a_jwt_has_the_default_life(value: str) -> None:
    assert read(value).lifetime == 1800.0


@pytest.mark.parametrize("value", ["", "two words", "naïve", "line\n", "\x00", "\x7f", "x" * 16_385, None, 5, b"bytes"])
def test_a_value_that_cannot_be_a_token_is_a_protocol_error_that_does_not_show_it(value: object) -> None:
    with pytest.raises(ProtocolError, match="without a usable token") as caught:
        read(value)

    if isinstance(value, str) and len(value) > 1:
        assert value not in str(caught.value)


@settings(deadline=None)
@given(
    value=st.text(max_size=50) | st.binary() | st.none(), lifetime=st.none() | st.text() | st.integers() | st.floats()
)
def test_any_answer_is_a_token_or_a_protocol_error(value: object, lifetime: object) -> None:
    try:
        made = read(value, lifetime)
    except ProtocolError:
        return
    assert made.value.get_secret_value() == value
    assert 1 <= made.lifetime <= 604_800
