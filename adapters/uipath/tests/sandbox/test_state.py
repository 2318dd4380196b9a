from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from rpa_bridge.sandbox.server import Sandbox


async def _opened(sandbox: Sandbox, session: ClientSession, make: Any) -> Any:
    wire = make(session, sandbox)
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    return wire


async def test_the_next_run_goes_on_where_the_last_one_stopped(wire: Any, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    async with ClientSession() as session:
        async with Sandbox(["uipath"], state_file=file) as first:
            before = await _opened(first, session, type(wire))
            job = await before.start()
            await before.add("Letters", Reference="r-1")
            await before.add("Letters", Reference="r-2")
            taken = (await before.take("Letters")).body
        async with Sandbox(["uipath"], state_file=file) as second:
            after = type(wire)(session, second)
            after.headers = before.headers
            assert (await after.ask("GET", f"/odata/Jobs({job['Id']})", status=200)).body["Key"] == job["Key"]
            assert (await after.add("Letters", Reference="r-1", status=409)).code == 1016
            await after.finish(taken["Id"], IsSuccessful=True)
            assert (await after.take("Letters")).body["Reference"] == "r-2"
            assert (await after.start())["Id"] > job["Id"]
            added = (await after.add()).body
            assert added["Id"] > taken["Id"]
            second.world.clock.freeze()
            second.world.clock.advance(24 * 3600 + 1)
            renewed = await _opened(second, session, type(wire))
            assert [item["Status"] for item in await renewed.items()] == ["Successful", "Abandoned", "New"]


async def test_reset_forgets_jobs_items_and_tokens(wire: Any) -> None:
    await wire.start()
    await wire.add()
    wire.sandbox.reset()
    await wire.ask("GET", "/odata/Jobs", status=401)
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    assert (await wire.ask("GET", "/odata/Jobs", status=200)).values == []
    assert await wire.items() == []
    await wire.take(status=204)


async def test_one_seed_gives_the_same_ids_and_another_gives_others(wire: Any) -> None:
    keys = []
    for seed in (1, 1, 2):
        async with ClientSession() as session, Sandbox(["uipath"], seed=seed) as sandbox:
            again = await _opened(sandbox, session, type(wire))
            keys.append((await again.start())["Key"])
    assert keys[0] == keys[1] != keys[2]
