"""Logging in and signing: whose organization is named, what is remembered, and what tells two log-ins apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import Adapter, AuthError, ProtocolError, RateLimitedError, RemoteError, UnavailableError
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.auth import DEFAULT_LIFETIME, token_key
from rpa_bridge_botmaestro.settings import BotMaestroSettings

Opens = Callable[..., Adapter]
Requests = Callable[[str], list[Exchange]]
LOGIN = "POST /api/v2/workspace/login"
POOL = "GET /api/v2/datapool/*"
SETTINGS = {"server": "https://acme.botcity.dev", "login": "acme", "key": "key-of-acme-4711"}


@pytest.fixture
def answer_logins(sandbox: Sandbox) -> Callable[..., None]:
    """Makes every log-in be answered so."""

    def order(status: int, body: str, **headers: str) -> None:
        told = {"Content-Type": "application/json"} | headers
        sandbox.world.faults.add(Fault(FaultKind.STATUS, match=LOGIN, times=99, status=status, body=body, headers=told))

    return order


async def test_the_organization_is_the_label_that_the_log_in_told(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    sandbox.world.switches["botmaestro.organization_header"] = "label"

    assert (await maestro.queues.get("Invoices")).name == "Invoices"

    assert [one.headers["organization"] for one in requests(POOL)] == ["acme"]
    assert not {"token", "organization"} & requests(LOGIN)[0].headers.keys(), "a log-in is not signed"


@pytest.mark.parametrize("told", [{}, {"organizationLabel": None}, {"organizationLabel": ""}])
async def test_without_a_label_the_login_stands_for_the_organization(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, answer_logins: Callable[..., None], told: dict[str, Any]
) -> None:
    answer_logins(200, json.dumps({"accessToken": "sandbox-does-not-know-it"} | told))

    with pytest.raises(AuthError):
        await maestro.queues.get("Invoices")

    assert requests(POOL)[0].headers["organization"] == sandbox.connections["botmaestro"]["login"]


async def test_a_second_adapter_takes_token_and_organization_from_the_shared_store(
    sandbox: Sandbox, open_maestro: Opens, requests: Requests, tmp_path: Path
) -> None:
    sandbox.world.switches["botmaestro.organization_header"] = "label"
    await open_maestro(tmp_path).queues.get("Invoices")

    await open_maestro(tmp_path).queues.get("Letters")

    assert len(requests(LOGIN)) == 1
    assert [one.headers["organization"] for one in requests(POOL)] == ["acme", "acme"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 451])
async def test_any_refusal_of_the_log_in_is_an_auth_error_and_remembered(
    maestro: Adapter, requests: Requests, answer_logins: Callable[..., None], status: int
) -> None:
    answer_logins(status, '{"message": "acme-sandbox-key-of-loopback is no key"}')

    with pytest.raises(AuthError, match="check login and key in the settings") as caught:
        await maestro.queues.get("Invoices")
    with pytest.raises(AuthError, match="not asked again until"):
        await maestro.queues.get("Invoices")

    assert caught.value.status == status
    assert "acme-sandbox-key" not in repr(caught.value)
    assert (len(requests(LOGIN)), len(requests(POOL))) == (1, 0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, UnavailableError), (503, UnavailableError), (408, UnavailableError), (429, RateLimitedError)],
)
async def test_a_platform_that_is_busy_or_down_is_no_auth_error_and_asked_again(
    sandbox: Sandbox, maestro: Adapter, answer_logins: Callable[..., None], status: int, kind: type[RemoteError]
) -> None:
    answer_logins(status, '{"message": "Come back later"}')

    with pytest.raises(kind, match="Come back later"):
        await maestro.queues.get("Invoices")

    sandbox.world.faults.clear()
    assert (await maestro.queues.get("Invoices")).name == "Invoices"


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"organizationLabel": "acme"}',
        '{"accessToken": null}',
        '{"accessToken": ""}',
        '{"accessToken": "two words"}',
        '{"accessToken": 17}',
        '["a"]',
        "null",
        "",
        '{"accessToken": "cut',
    ],
)
async def test_a_log_in_without_a_token_is_a_protocol_error_and_not_remembered(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, answer_logins: Callable[..., None], body: str
) -> None:
    answer_logins(200, body)

    with pytest.raises(ProtocolError):
        await maestro.queues.get("Invoices")

    assert not requests(POOL)
    sandbox.world.faults.clear()
    assert (await maestro.queues.get("Invoices")).name == "Invoices"


@pytest.mark.parametrize(("status", "kind"), [(200, ProtocolError), (403, ProtocolError), (502, UnavailableError)])
async def test_a_web_page_in_place_of_the_log_in_says_nothing_of_the_key(
    sandbox: Sandbox, maestro: Adapter, answer_logins: Callable[..., None], status: int, kind: type[RemoteError]
) -> None:
    answer_logins(status, "<html>", **{"Content-Type": "text/html"})

    with pytest.raises(kind, match=r"web page.*check the address in the settings"):
        await maestro.queues.get("Invoices")

    sandbox.world.faults.clear()
    assert (await maestro.queues.get("Invoices")).name == "Invoices"


async def test_a_token_that_tells_no_lifetime_is_taken_for_fifty_minutes(maestro: Adapter) -> None:
    await maestro.queues.get("Invoices")

    status = await maestro.login_status()

    assert status is not None
    assert status.obtained_at is not None
    assert status.expires_at is not None
    assert (status.expires_at - status.obtained_at).total_seconds() == DEFAULT_LIFETIME == 3000
    assert (status.identity, status.state) == ("login acme-robots-4711", "fresh")


def digest(**changes: str) -> str:
    return token_key(BotMaestroSettings.model_validate(SETTINGS | changes)).digest(b"installation")


@pytest.mark.parametrize(
    "change",
    [
        {"server": "https://other.botcity.dev"},
        {"server": "https://acme.botcity.dev:8443"},
        {"server": "https://acme.botcity.dev/behind-a-proxy"},
        {"login": "acme2"},
        {"key": "key-of-acme-4712"},
    ],
)
def test_another_server_login_or_key_is_another_token(change: dict[str, str]) -> None:
    assert digest(**change) != digest()


def test_one_server_under_two_spellings_is_one_token() -> None:
    assert digest(server="https://ACME.botcity.dev:443/api/v2/") == digest()
