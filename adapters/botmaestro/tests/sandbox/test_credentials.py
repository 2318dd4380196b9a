from __future__ import annotations

from typing import Any

import pytest


async def test_a_value_is_plain_text(wire: Any) -> None:
    answer = await wire.ask("GET", "/credential/erp/key/user", status=200)
    assert answer.body == b"robot"
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_set_tells_the_values_of_all_its_keys(wire: Any) -> None:
    erp = await wire.get("/credential/erp")
    assert [secret["key"] for secret in erp["secrets"]] == ["user", "password"]
    assert all(secret["value"] and secret["valid"] for secret in erp["secrets"])
    assert await wire.get("/credential") == [erp]


async def test_a_set_is_created_once(wire: Any) -> None:
    secret = {"key": "pin", "value": "01234", "valid": True}
    body = {"label": "bank", "secrets": [secret], "repositoryLabel": "OTHER", "organizationLabel": "acme"}
    created = await wire.post("/credential", body)
    assert created == body
    assert await wire.get("/credential/bank/key/pin") == b"01234"
    assert (await wire.post("/credential", body, status=400))["details"] == "Label already exists"


async def test_a_key_is_added_and_its_second_coming_is_decided_by_the_switch(wire: Any) -> None:
    await wire.post("/credential/erp/key", {"key": "pin", "value": "größer"})
    assert (await wire.get("/credential/erp/key/pin")).decode() == "größer"
    await wire.post("/credential/erp/key", {"key": "pin", "value": "other"}, status=400)
    wire.switch(status_duplicate_key=200)
    await wire.post("/credential/erp/key", {"key": "pin", "value": "other"})
    assert await wire.get("/credential/erp/key/pin") == b"other"
    assert [one["key"] for one in (await wire.get("/credential/erp"))["secrets"]] == ["user", "password", "pin"]


async def test_all_secrets_are_replaced_even_by_none(wire: Any) -> None:
    replaced = await wire.post("/credential/erp", {"label": "erp", "secrets": [{"key": "a", "value": "b"}]})
    assert replaced["secrets"] == [{"key": "a", "value": "b", "valid": True}]
    assert (await wire.post("/credential/erp", {"label": "erp", "secrets": []}))["secrets"] == []
    await wire.get("/credential/erp/key/a", status=404)


async def test_sets_can_keep_their_values_to_themselves(wire: Any) -> None:
    wire.switch(mask_secrets=True)
    erp = await wire.get("/credential/erp")
    assert [(one["key"], one["value"]) for one in erp["secrets"]] == [("user", None), ("password", None)]
    assert await wire.get("/credential") == [erp]
    assert await wire.get("/credential/erp/key/user") == b"robot"


async def test_unknown_sets_and_keys_are_not_found(wire: Any) -> None:
    await wire.get("/credential/nothing", status=404)
    await wire.get("/credential/nothing/key/a", status=404)
    await wire.get("/credential/erp/key/nothing", status=404)
    await wire.post("/credential/nothing", {"label": "nothing", "secrets": []}, status=404)
    await wire.post("/credential/nothing/key", {"key": "a", "value": "b"}, status=404)


@pytest.mark.parametrize("body", [{}, {"label": ""}, {"label": "x", "secrets": [{"key": "", "value": "v"}]}])
async def test_a_wrong_set_is_refused_without_a_value_in_the_answer(wire: Any, body: Any) -> None:
    await wire.post("/credential", body, status=400)
    secret = {"key": ["wrong"], "value": "top-secret-value"}
    refused = await wire.post("/credential", {"label": "x", "secrets": [secret]}, status=400)
    assert "top-secret-value" not in repr(refused)


async def test_no_value_is_kept_in_the_list_of_requests(wire: Any) -> None:
    await wire.post("/credential/erp/key", {"key": "pin", "value": "top-secret-value"})
    assert "top-secret-value" not in repr(wire.world.exchanges)
