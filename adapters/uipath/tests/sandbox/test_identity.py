from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "path", ["/identity_/connect/token", "/acme/identity_/connect/token", "/identity/connect/token"]
)
async def test_every_edition_gives_tokens_that_open_the_door(wire: Any, path: str) -> None:
    answer = await wire.log_in(path)
    assert answer.status == 200
    assert answer.body["expires_in"] == 3600
    assert (answer.body["token_type"], answer.body["scope"]) == ("Bearer", "OR.Default")
    assert "refresh_token" not in answer.body
    await wire.ask(
        "GET", "/odata/Folders", headers={"Authorization": f"Bearer {answer.body['access_token']}"}, status=200
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"scope": "OR.Everything"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_login_is_a_400_in_oauth_words(wire: Any, change: dict[str, str], error: str) -> None:
    answer = await wire.log_in(**change)
    assert (answer.status, answer.body["error"]) == (400, error)


async def test_a_login_must_be_a_form(wire: Any) -> None:
    answer = await wire.ask("POST", f"{wire.origin}/identity_/connect/token", {"grant_type": "client_credentials"})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_some_identity_servers_quote_the_lifetime(wire: Any) -> None:
    wire.world.switches.update({"uipath.expires_in_quoted": True, "uipath.token_lifetime": 90})
    assert (await wire.log_in()).body["expires_in"] == "90"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_without_a_good_token_nobody_enters(wire: Any, header: dict[str, str]) -> None:
    answer = await wire.ask("GET", "/odata/Jobs", headers=header, status=401)
    assert (answer.body["message"], answer.code) == ("You are not authenticated!", 0)


async def test_a_token_ends_by_the_sandboxs_clock(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.world.switches["uipath.token_lifetime"] = 60
    token = (await wire.log_in()).body["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    wire.world.clock.advance(59)
    await wire.ask("GET", "/odata/Folders", headers=header, status=200)
    wire.world.clock.advance(1)
    await wire.ask("GET", "/odata/Folders", headers=header, status=401)


@pytest.mark.parametrize(
    ("scope", "jobs", "start"),
    [
        ("OR.Jobs", 200, 400),
        ("OR.Jobs.Read", 200, 403),
        ("OR.Jobs.Write", 403, 400),
        ("OR.Queues OR.Folders", 403, 403),
    ],
)
async def test_scopes_open_only_their_doors(wire: Any, scope: str, jobs: int, start: int) -> None:
    token = (await wire.log_in(scope=scope)).body["access_token"]
    headers = wire.headers | {"Authorization": f"Bearer {token}"}
    read = await wire.ask("GET", "/odata/Jobs", headers=headers)
    written = await wire.ask("POST", "/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs", {}, headers=headers)
    assert (read.status, written.status) == (jobs, start)
    for answer in (read, written):
        assert answer.status != 403 or "Expect to have 'OR.Jobs'" in answer.body["errorMessage"]


async def test_secrets_do_not_get_into_the_list_of_requests(wire: Any) -> None:
    await wire.ask("GET", "/odata/Folders")
    noted = repr(wire.world.exchanges)
    assert "/connect/token" in noted
    assert wire.settings["auth"]["client_secret"] not in noted
    assert wire.headers["Authorization"].partition(" ")[2] not in noted
