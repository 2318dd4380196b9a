from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

import rpa_bridge_botmaestro.sandbox as package
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge_botmaestro.sandbox.switches import DEFAULTS

DOCS = Path(__file__).parents[4] / "docs" / "sandbox.md"


async def _of_everything(wire: Any) -> None:
    task = await wire.start()
    await wire.pool("Orders", maxAutoRetry=1)
    await wire.pool("Gone")
    await wire.ask("DELETE", "/datapool/Gone", status=204)
    for number in range(3):
        await wire.push("Orders", values={"n": number}, priority=number)
    await wire.save(await wire.pull("Orders"), state="ERROR")
    await wire.pull("Orders")
    made = await wire.post("/artifact", {"taskId": task["id"], "name": "a", "filename": "a.bin"})
    await wire.upload(f"/artifact/log/{made['id']}", "a.bin", b"\x00\xff\xfe")
    await wire.post("/log", {"activityLabel": "Bookings", "columns": [{"name": "A", "label": "a"}]})
    await wire.post("/log/Bookings/entry", {"a": None})
    await wire.post("/alerts", {"taskId": task["id"], "title": "t", "message": "m", "type": "INFO"})
    await wire.post("/message", {"emails": ["a@b.c"], "subject": "s", "body": "b", "type": "TEXT"})
    error = {"taskId": task["id"], "type": "E", "message": "m", "language": "PYTHON"}
    incident = await wire.post("/error", error, status=201)
    await wire.upload(f"/error/{incident['id']}/screenshot", "s.png", b"\x89")
    await wire.upload(f"/error/{incident['id']}/attachments", "x.txt", b"\xff")
    await wire.post("/credential", {"label": "bank", "secrets": [{"key": "k", "value": "v"}]})
    await wire.control("POST", "botmaestro/runner")


async def test_the_next_run_goes_on_where_the_last_one_stopped(wire: Any, tmp_path: Path) -> None:
    make, file = type(wire), tmp_path / "state.json"
    async with ClientSession() as session:
        async with Sandbox(["botmaestro"], state_file=file) as first:
            before = make(session, first)
            await before.use_new_token()
            await _of_everything(before)
            kept = before.state
        async with Sandbox(["botmaestro"], state_file=file) as second:
            after = make(session, second)
            after.headers = before.headers
            assert after.state == kept
            assert await after.get("/artifact/1/file") == b"\x00\xff\xfe"
            assert (await after.start())["id"] == 2
            await after.pool("Gone", status=400)
            order = [(await after.pull("Orders"))["values"]["n"] for _ in range(2)]
            assert order == [1, 0]
            await after.pull("Orders", status=204)


async def test_every_part_of_the_state_is_in_what_is_kept(wire: Any) -> None:
    await _of_everything(wire)
    assert not [name for name, part in wire.state.items() if not part]


async def test_an_entry_still_times_out_after_a_new_start(wire: Any, tmp_path: Path) -> None:
    make, file = type(wire), tmp_path / "state.json"
    async with ClientSession() as session:
        async with Sandbox(["botmaestro"], state_file=file) as first:
            before = make(session, first)
            await before.use_new_token()
            await before.push()
            taken = await before.pull()
        async with Sandbox(["botmaestro"], state_file=file) as second:
            after = make(session, second)
            second.world.clock.advance(3600)
            await after.use_new_token()
            assert (await after.entry(taken))["state"] == "TIMEOUT"


async def test_reset_forgets_everything_and_the_tokens_too(wire: Any) -> None:
    born = await wire.get("/datapool")
    await _of_everything(wire)
    wire.sandbox.reset()
    await wire.get("/task", status=401)
    await wire.use_new_token()
    assert await wire.get("/datapool") == born
    assert (await wire.get("/task"))["empty"]
    await wire.push()
    await wire.pull()


async def test_one_seed_gives_the_same_ids_and_another_gives_others(wire: Any) -> None:
    ids = []
    for seed in (1, 1, 2):
        async with ClientSession() as session, Sandbox(["botmaestro"], seed=seed) as sandbox:
            again = type(wire)(session, sandbox)
            await again.use_new_token()
            ids.append((await again.push())["id"])
    assert ids[0] == ids[1] != ids[2]


def test_every_switch_is_in_the_table() -> None:
    rows = [line.split() for line in (package.__doc__ or "").splitlines()]
    told = {row[0]: row[1] for row in rows if row and row[0] in DEFAULTS}
    assert told == {name: _as_json(value) for name, value in DEFAULTS.items()}


def test_every_switch_is_in_the_documentation() -> None:
    rows = re.findall(r"^\| `botmaestro[.](\w+)` \| (.+?) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {name: _as_json(value).strip('"') for name, value in DEFAULTS.items()}


def _as_json(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
