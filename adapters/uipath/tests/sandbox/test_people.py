"""Logging in with a browser, played by a client that does not follow where it is sent."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from rpa_bridge_uipath.sandbox.identity import CLIENT_ID
from rpa_bridge_uipath.sandbox.people import PERSON_CLIENT_ID

BACK = "http://127.0.0.1:51234/callback?kept=yes"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-~._"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
QUESTION = {
    "response_type": "code",
    "client_id": PERSON_CLIENT_ID,
    "redirect_uri": BACK,
    "scope": "OR.Jobs OR.Folders offline_access",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "s t&ä=1",
}
DAY = 24 * 3600


async def _authorize(wire: Any, identity: str = "/identity_", **changes: Any) -> Any:
    """The answer to the browser."""
    asked = {name: value for name, value in (QUESTION | changes).items() if value is not None}
    return await wire.ask("GET", f"{wire.origin}{identity}/connect/authorize", query=asked, headers={}, follow=False)


async def _sent_back(wire: Any, **changes: Any) -> dict[str, str]:
    """What the application is told."""
    answer = await _authorize(wire, **changes)
    assert answer.status == 302
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


async def _code(wire: Any, **changes: Any) -> str:
    return (await _sent_back(wire, **changes))["code"]


async def _token(wire: Any, **form: str) -> Any:
    fields = {"client_id": PERSON_CLIENT_ID, "client_secret": ""} | form
    return await wire.ask("POST", f"{wire.origin}/identity_/connect/token", form=fields, headers={})


async def _redeem(wire: Any, code: str, **changes: str) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK}
    return await _token(wire, **form | changes)


async def _refresh(wire: Any, token: str, **changes: str) -> Any:
    return await _token(wire, **{"grant_type": "refresh_token", "refresh_token": token} | changes)


def _error(answer: Any) -> tuple[int, str]:
    return answer.status, answer.body["error"]


@pytest.mark.parametrize("identity", ["/identity_", "/acme/identity_", "/identity"])
async def test_a_person_is_sent_back_with_a_code_that_gives_tokens(wire: Any, identity: str) -> None:
    answer = await _authorize(wire, identity)
    address = urlsplit(answer.headers["Location"])
    told = dict(parse_qsl(address.query))
    assert (answer.status, address.netloc, address.path) == (302, "127.0.0.1:51234", "/callback")
    assert (told["kept"], told["state"]) == ("yes", "s t&ä=1")
    tokens = (await _redeem(wire, told["code"])).body
    assert (tokens["expires_in"], tokens["token_type"], tokens["scope"]) == (3600, "Bearer", QUESTION["scope"])
    headers = wire.headers | {"Authorization": f"Bearer {tokens['access_token']}"}
    await wire.ask("GET", "/odata/Jobs", headers=headers, status=200)
    await wire.ask("GET", "/odata/Releases", headers=headers, status=403)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "OR.Default"}, "invalid_scope"),
        ({"scope": "OR.Jobs OR.Everything"}, "invalid_scope"),
    ],
)
async def test_a_wrong_question_comes_back_as_an_error_with_its_state(wire: Any, change: Any, error: str) -> None:
    told = await _sent_back(wire, **change)
    assert told == {"kept": "yes", "error": error, "state": "s t&ä=1"}


async def test_a_person_may_say_no(wire: Any) -> None:
    wire.world.switches["uipath.login_denied"] = True
    assert (await _sent_back(wire, state=None)) == {"kept": "yes", "error": "access_denied"}


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": CLIENT_ID},
        {"client_id": "wrong"},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1/no-port"},
        {"redirect_uri": "https://127.0.0.1:51234/"},
        {"redirect_uri": "http://elsewhere.example:51234/"},
        {"redirect_uri": "http://localhost:80@elsewhere.example:80/"},
        {"redirect_uri": "http://127.0.0.1:51234/#fragment"},
        {"redirect_uri": "http://127.0.0.1:51234/\r\nX: y"},
        {"redirect_uri": "http://127.0.0.1:99999/"},
    ],
)
async def test_a_code_goes_nowhere_but_to_a_known_application_on_this_machine(wire: Any, change: Any) -> None:
    answer = await _authorize(wire, **change)
    assert answer.status == 400
    assert "Location" not in answer.headers


async def test_a_code_is_good_once(wire: Any) -> None:
    code = await _code(wire)
    assert (await _redeem(wire, code)).status == 200
    assert _error(await _redeem(wire, code)) == (400, "invalid_grant")


async def test_a_code_is_good_for_five_minutes(wire: Any) -> None:
    wire.world.clock.freeze()
    code = await _code(wire)
    wire.world.clock.advance(300)
    assert _error(await _redeem(wire, code)) == (400, "invalid_grant")


@pytest.mark.parametrize("change", [{"code_verifier": VERIFIER + "x"}, {"redirect_uri": "http://127.0.0.1:51235/"}])
async def test_a_code_is_spent_by_who_did_not_ask_for_it(wire: Any, change: Any) -> None:
    code = await _code(wire)
    assert _error(await _redeem(wire, code, **change)) == (400, "invalid_grant")
    assert _error(await _redeem(wire, code)) == (400, "invalid_grant")


async def test_what_a_grant_needs_must_be_there(wire: Any) -> None:
    code = await _code(wire)
    assert _error(await _redeem(wire, code, code_verifier="")) == (400, "invalid_request")
    assert (await _redeem(wire, code)).status == 200
    assert _error(await _refresh(wire, "")) == (400, "invalid_request")


async def test_without_offline_access_there_is_no_refresh_token(wire: Any) -> None:
    assert "refresh_token" not in (await _redeem(wire, await _code(wire, scope="OR.Jobs"))).body


async def test_a_refresh_token_is_good_once_and_gives_the_next(wire: Any) -> None:
    first = (await _redeem(wire, await _code(wire))).body
    second = (await _refresh(wire, first["refresh_token"])).body
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["scope"] == QUESTION["scope"]
    assert _error(await _refresh(wire, first["refresh_token"])) == (400, "invalid_grant")
    assert (await _refresh(wire, second["refresh_token"])).status == 200


async def test_a_refresh_token_is_good_for_sixty_days(wire: Any) -> None:
    wire.world.clock.freeze()
    token = (await _redeem(wire, await _code(wire))).body["refresh_token"]
    wire.world.clock.advance(60 * DAY - 1)
    token = (await _refresh(wire, token)).body["refresh_token"]
    wire.world.clock.advance(60 * DAY)
    assert _error(await _refresh(wire, token)) == (400, "invalid_grant")


async def test_a_refresh_may_ask_for_less_and_not_for_more(wire: Any) -> None:
    token = (await _redeem(wire, await _code(wire))).body["refresh_token"]
    assert _error(await _refresh(wire, token, scope="OR.Jobs OR.Assets")) == (400, "invalid_scope")
    assert (await _refresh(wire, token, scope="OR.Jobs.Read")).status == 400
    assert (await _refresh(wire, token, scope="OR.Jobs")).body["scope"] == "OR.Jobs"


async def test_codes_and_tokens_are_not_kept_in_the_list_of_requests(wire: Any) -> None:
    code = await _code(wire)
    tokens = (await _redeem(wire, code)).body
    await _refresh(wire, tokens["refresh_token"])
    noted = repr(wire.world.exchanges)
    for secret in (code, tokens["access_token"], tokens["refresh_token"], VERIFIER):
        assert secret not in noted
