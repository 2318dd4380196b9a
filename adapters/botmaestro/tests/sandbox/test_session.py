from __future__ import annotations

from typing import Any

import pytest


async def test_the_version_needs_no_token(wire: Any) -> None:
    answer = await wire.ask("GET", "/maestro/version", headers={}, status=200)
    assert answer.body == {"version": "4.0.0"}


async def test_a_log_in_answers_token_and_organization_label(wire: Any) -> None:
    answer = await wire.log_in()
    assert answer.status == 200
    assert answer.body.keys() == {"accessToken", "organizationLabel"}
    assert answer.body["accessToken"].startswith("sandbox-botmaestro-")
    assert answer.body["organizationLabel"] == "acme"
    assert answer.body["organizationLabel"] != wire.settings["login"]


@pytest.mark.parametrize("change", [{"key": "wrong"}, {"login": "nobody"}])
async def test_a_wrong_login_or_key_is_refused_without_telling_which(wire: Any, change: dict[str, str]) -> None:
    answer = await wire.log_in(**change)
    assert (answer.status, answer.body["message"]) == (401, "Invalid login or key")
    assert answer.body.keys() == {"timestamp", "message", "details"}


@pytest.mark.parametrize("body", [{"login": "acme"}, {}, []])
async def test_a_log_in_without_login_or_key_is_a_bad_request(wire: Any, body: Any) -> None:
    await wire.ask("POST", "/workspace/login", body, headers={}, status=400)


async def test_both_token_headers_are_taken(wire: Any) -> None:
    token = wire.headers["token"]
    await wire.ask("GET", "/task", headers={"token": token}, status=200)
    await wire.ask("GET", "/task", headers={"Authorization": f"Bearer {token}"}, status=200)


@pytest.mark.parametrize("headers", [{}, {"token": "stale"}, {"Authorization": "Basic abc"}])
async def test_nothing_is_answered_without_a_good_token(wire: Any, headers: dict[str, str]) -> None:
    await wire.ask("GET", "/task/1", headers=headers, status=401)


async def test_a_token_ends_with_its_lifetime_and_older_ones_do_not_come_back(wire: Any) -> None:
    wire.world.clock.freeze()
    await wire.use_new_token()
    wire.world.clock.advance(3599)
    await wire.get("/task")
    wire.world.clock.advance(1)
    await wire.get("/task", status=401)
    await wire.use_new_token()
    await wire.get("/task")


async def test_a_lifetime_of_null_never_ends(wire: Any) -> None:
    wire.switch(token_lifetime=None)
    wire.world.clock.advance(10 * 365 * 24 * 3600)
    await wire.get("/task")


@pytest.mark.parametrize(
    ("mode", "given", "status"),
    [
        ("known", None, 200),
        ("known", "acme", 200),
        ("known", "acme-robots-4711", 200),
        ("known", "", 200),
        ("known", "globex", 403),
        ("ignored", "globex", 200),
        ("required", None, 401),
        ("required", "acme-robots-4711", 200),
        ("label", "acme-robots-4711", 403),
        ("label", "acme", 200),
    ],
)
async def test_the_organization_header_is_checked_as_the_switch_says(
    wire: Any, mode: str, given: str | None, status: int
) -> None:
    wire.switch(organization_header=mode)
    headers = wire.headers | ({} if given is None else {"organization": given})
    await wire.ask("GET", "/task", headers=headers, status=status)


async def test_a_server_may_answer_a_refresh_token(wire: Any) -> None:
    wire.switch(refresh_token=True)
    assert (await wire.log_in()).body["refreshToken"] != (await wire.log_in()).body["accessToken"]


async def test_the_statuses_of_bad_logins_and_tokens_can_be_chosen(wire: Any) -> None:
    wire.switch(status_bad_login=400, status_bad_token=403)
    assert (await wire.log_in(key="wrong")).status == 400
    await wire.ask("GET", "/task", headers={}, status=403)


async def test_an_unknown_path_is_answered_as_the_server_does(wire: Any) -> None:
    answer = await wire.ask("GET", "/nothing/here", status=404)
    assert answer.body["message"] == "No handler for GET /api/v2/nothing/here"


async def test_an_older_server_does_not_know_younger_routes(wire: Any) -> None:
    wire.switch(version="2.10.0")
    await wire.get("/datapool/Invoices", status=404)
    await wire.get("/credential/erp")
    await wire.post("/credential/erp", {"label": "erp", "secrets": []}, status=404)


async def test_an_older_server_knows_no_interruption(wire: Any) -> None:
    wire.world.lifecycle.hold = True
    wire.switch(version="1.9.0")
    task = await wire.start()
    await wire.post(f"/task/{task['id']}", {"interrupted": True}, status=400)
    done = {"state": "FINISHED", "finishStatus": "SUCCESS", "interrupted": True}
    assert (await wire.post(f"/task/{task['id']}", done))["interrupted"] is None


@pytest.mark.parametrize(("shape", "body"), [("bare", {"message": "Task 9 not found"}), ("text", b"Task 9 not found")])
async def test_errors_can_have_less_to_say(wire: Any, shape: str, body: Any) -> None:
    wire.switch(error_body=shape)
    assert await wire.get("/task/9", status=404) == body


async def test_bodies_that_are_not_json_are_refused(wire: Any) -> None:
    json_headers = wire.headers | {"Content-Type": "application/json"}
    for torn in (b"", b"{", b"\xff", b'{"activityLabel": NaN}', b"[" * 100_000):
        await wire.ask("POST", "/task", data=torn, headers=json_headers, status=400)
    await wire.ask("POST", "/task", data=b"{}", headers=wire.headers | {"Content-Type": "text/plain"}, status=415)


async def test_unknown_members_are_ignored_unless_the_switch_refuses_them(wire: Any) -> None:
    await wire.start(colour="blue")
    wire.switch(refuse_unknown_members=True)
    answer = await wire.post("/task", {"activityLabel": "Invoices", "colour": "blue"}, status=400)
    assert "colour" in answer["message"]


async def test_a_text_is_a_number_unless_the_switch_refuses_it(wire: Any) -> None:
    task = await wire.start(priority="3")
    assert task["priority"] == 3
    wire.switch(coerce_numbers=False)
    refused = await wire.post("/task", {"activityLabel": "Invoices", "priority": "3"}, status=400)
    assert "priority" in refused["message"]
    alert = {"taskId": str(task["id"]), "title": "t", "message": "m", "type": "INFO"}
    assert (await wire.post("/alerts", alert))["taskId"] == task["id"]


async def test_no_key_and_no_token_is_kept_in_the_list_of_requests(wire: Any) -> None:
    await wire.log_in()
    await wire.get("/task")
    kept = repr(wire.world.exchanges)
    assert wire.settings["key"] not in kept
    assert wire.headers["token"] not in kept
