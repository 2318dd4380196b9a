from __future__ import annotations

import base64
from typing import Any

import pytest


async def _deploy(wire: Any, bot_id: str, version: str) -> Any:
    body = {"organization": wire.settings["login"], "botId": bot_id, "version": version, "technology": "JAVA"}
    return await wire.post("/bot", body | {"command": None})


async def _shown(wire: Any, bot_id: str) -> list[str]:
    return [one["version"] for one in await wire.get("/bot", botId=bot_id)]


async def test_each_automation_has_a_bot_that_is_released(wire: Any) -> None:
    for automation in await wire.get("/activity"):
        (bot,) = await wire.get("/bot", botId=automation["botId"])
        assert (bot["botId"], bot["released"], bot["technology"]) == (automation["botId"], True, "PYTHON")
        assert await wire.get(f"/bot/{bot['botId']}/version/{bot['version']}") == bot


async def test_bots_are_listed_as_an_array_and_in_pages(wire: Any) -> None:
    assert [one["botId"] for one in await wire.get("/bot")] == ["invoices", "letters"]
    assert await wire.get("/bot", botId="nothing") == []
    page = await wire.get("/bot/pagination", size=1, page=1, sort="botId,asc")
    assert ([one["botId"] for one in page["content"]], page["totalElements"]) == (["letters"], 2)
    assert (await wire.get("/bot/pagination", botId="letters"))["totalElements"] == 1


async def test_a_version_is_deployed_uploaded_and_released(wire: Any) -> None:
    made = await _deploy(wire, "invoices", "2.0.0")
    assert (made["released"], made["command"], made["repositoryLabel"], "stored" in made) == (
        False,
        None,
        "DEFAULT",
        False,
    )
    for content in (b"first", b"PK\x00\xff"):
        await wire.upload("/bot/upload/invoices/version/2.0.0", "bot.zip", content)
    assert await _shown(wire, "invoices") == ["1.0.0"]
    released = await wire.post("/bot/release", {"botId": "invoices", "version": "2.0.0"})
    assert (released["version"], released["released"]) == ("2.0.0", True)
    assert await _shown(wire, "invoices") == ["2.0.0"]
    assert (await wire.get("/bot/invoices/version/1.0.0"))["released"] is False
    kept = wire.state["bots"]["invoices"]["2.0.0"]["stored"]
    assert (kept["file_name"], base64.urlsafe_b64decode(kept["content"])) == ("bot.zip", b"PK\x00\xff")


async def test_a_new_bot_is_had_with_its_first_version_and_gone_with_its_last(wire: Any) -> None:
    await _deploy(wire, "büro", "1")
    await _deploy(wire, "büro", "2")
    assert await _shown(wire, "büro") == ["2"]
    for version in ("2", "1"):
        await wire.ask("DELETE", f"/bot/büro/version/{version}", status=200)
        await wire.get(f"/bot/büro/version/{version}", status=404)
    assert await _shown(wire, "büro") == []


async def test_a_version_that_is_there_is_not_deployed_again(wire: Any) -> None:
    body = {"botId": "letters", "version": "1.0.0", "technology": "COMMAND"}
    assert "1.0.0" in (await wire.post("/bot", body, status=400))["message"]
    assert (await wire.get("/bot/letters/version/1.0.0"))["technology"] == "PYTHON"


@pytest.mark.parametrize("change", [{"botId": ""}, {"version": None}, {"technology": "python"}, {"technology": None}])
async def test_a_wrong_bot_is_refused(wire: Any, change: dict[str, Any]) -> None:
    await wire.post("/bot", {"botId": "new", "version": "1", "technology": "PYTHON"} | change, status=400)


async def test_unknown_bots_and_versions_are_not_found(wire: Any) -> None:
    for path in ("nothing/version/1.0.0", "letters/version/9"):
        await wire.get(f"/bot/{path}", status=404)
        await wire.ask("DELETE", f"/bot/{path}", status=404)
        await wire.upload(f"/bot/upload/{path}", "a.zip", b"a", status=404)
    await wire.post("/bot/release", {"botId": "letters", "version": "9"}, status=404)
    assert await _shown(wire, "letters") == ["1.0.0"]
