from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import stat
import threading
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from rpa_bridge.errors import AdapterLoadError, ConfigError
from rpa_bridge.sandbox import server
from rpa_bridge.sandbox.server import Sandbox, write_private, write_ready_file
from rpa_bridge.testing import SandboxThread
from tests.ports import free_port


async def test_each_face_has_a_port_of_its_own_and_control_has_another(sandbox: Sandbox) -> None:
    addresses = [urlsplit(url) for url in [*sandbox.origins.values(), sandbox.control_url]]
    assert {address.hostname for address in addresses} == {"127.0.0.1"}
    assert len({address.port for address in addresses}) == 3
    assert sandbox.connections == {
        "counter": {"adapter": "counter", "url": sandbox.origins["counter"]},
        "other": {"adapter": "other", "url": sandbox.origins["other"]},
    }


async def test_a_port_is_the_first_of_a_row() -> None:
    first = free_port(3)
    async with Sandbox(["counter", "other"], port=first) as sandbox:
        found = [urlsplit(url).port for url in [*sandbox.origins.values(), sandbox.control_url]]
    assert found == [first, first + 1, first + 2]


async def test_the_second_server_of_a_face_has_a_port_of_its_own() -> None:
    sandbox = Sandbox(["with storage", "counter"], port=free_port(4))
    async with sandbox:
        face = sandbox.faces["with storage"]
        ports = [urlsplit(url).port for url in [*sandbox.origins.values(), face.side_origin, sandbox.control_url]]
        async with ClientSession() as client, client.get(f"{face.side_origin}/where") as response:
            assert await response.json() == {"origin": face.side_origin}
        assert [exchange.face for exchange in sandbox.world.exchanges] == ["with storage"]
    assert ports == list(range(ports[0] or 0, (ports[0] or 0) + 4))
    assert face.side_origin == ""


async def test_a_port_in_use_ends_in_one_sentence_and_nothing_listens(sandbox: Sandbox) -> None:
    taken = urlsplit(sandbox.origins["other"]).port
    assert taken is not None
    second = Sandbox(["counter"], port=taken)
    with pytest.raises(ConfigError, match=rf"port {taken} of 127\.0\.0\.1 cannot be had .*choose another with --port"):
        await second.start()
    assert second.origins == {}
    assert second.control_url == ""


def test_a_port_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ConfigError, match="leaves no room for 3 ports"):
        Sandbox(["counter", "other"], port=65534)


def test_without_any_face_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "installed", lambda group: [])
    with pytest.raises(AdapterLoadError, match="no sandbox is installed: pip install"):
        Sandbox()


async def test_after_stop_nobody_answers(sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.control_url)
    await sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address.hostname, address.port)
    assert sandbox.connections == {}


async def test_requests_are_noted_without_credentials(sandbox: Sandbox, client: ClientSession) -> None:
    headers = {"Authorization": "Bearer canary-1", "token": "canary-2", "Cookie": "a=canary-3", "X-Kept": "yes"}
    async with client.post("/count/a?b=%20c", json={"x": 1}, headers=headers) as response:
        assert response.status == 200
    async with client.post("/login", json={"login": "me", "key": "canary-4"}) as response:
        assert response.status == 200
    first, second = sandbox.world.exchanges
    assert (first.number, first.face, first.method, first.path) == (1, "counter", "POST", "/count/a?b=%20c")
    assert (first.status, first.executed, json.loads(first.body)) == (200, True, {"x": 1})
    assert first.headers["x-kept"] == "yes"
    assert first.headers["authorization"] == "***"
    assert second.body == "***"
    assert "canary" not in repr(sandbox.world.exchanges)


async def test_a_pre_signed_address_and_what_goes_there_are_not_noted(sandbox: Sandbox, client: ClientSession) -> None:
    async with client.post("/count/a?se=1&sig=canary-1&sp=w", json={"x": "canary-2"}) as response:
        assert response.status == 200
    noted = sandbox.world.exchanges[0]
    assert (noted.path, noted.body) == ("/count/a?se=1&sig=***&sp=w", "***")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "image/png", "multipart/form-data; boundary=x"])
async def test_a_body_that_is_no_document_is_an_upload(sandbox: Sandbox, client: ClientSession, kind: str) -> None:
    async with client.post("/upload", data=b"canary", headers={"Content-Type": kind}) as response:
        assert response.status == 200
    assert sandbox.world.exchanges[0].body == ""


async def test_only_the_head_of_a_long_body_is_kept(sandbox: Sandbox, client: ClientSession) -> None:
    body = io.BytesIO(("ä" * 2_000_000).encode())
    async with client.post("/count/a", data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 200
    assert len(sandbox.world.exchanges[0].body.encode()) == 64 * 1024


async def test_uploads_reach_the_face_as_a_stream(sandbox: Sandbox, client: ClientSession) -> None:
    async with client.post("/upload", data=b"x" * 100_000) as response:
        assert await response.json() == {"size": 100_000}
    assert sandbox.world.exchanges[0].body == ""


async def test_the_oldest_requests_are_forgotten(
    sandbox: Sandbox, client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.sandbox.world.MOST_EXCHANGES", 2)
    for name in "abc":
        async with client.post(f"/count/{name}"):
            pass
    assert [one.path for one in sandbox.world.exchanges] == ["/count/b", "/count/c"]


async def test_a_crash_of_a_face_is_a_500_and_a_log(
    sandbox: Sandbox, client: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with client.get("/crash") as response:
            assert response.status == 500
            assert "a bug" not in await response.text()
    assert "the sandbox's face counter crashed on GET /crash" in caplog.text
    assert "a bug in the face" in caplog.text
    assert sandbox.world.exchanges[0].executed is False


async def test_a_refusal_counts_as_not_carried_out(sandbox: Sandbox, client: ClientSession) -> None:
    async with client.get("/refuse") as response:
        assert (response.status, await response.text()) == (409, "not now")
    assert (sandbox.world.exchanges[0].status, sandbox.world.exchanges[0].executed) == (409, False)


async def test_an_unknown_path_is_answered_by_the_face_and_noted(sandbox: Sandbox, client: ClientSession) -> None:
    async with client.get("/nowhere") as response:
        assert (response.status, await response.text()) == (404, "no route for GET /nowhere")
    assert sandbox.world.exchanges[0].status == 404


async def _count(sandbox: Sandbox) -> dict[str, object]:
    async with ClientSession(sandbox.origins["counter"]) as client, client.post("/count/a") as response:
        return dict(await response.json())


async def test_one_seed_gives_one_world() -> None:
    answers = []
    for seed in (7, 7, 8):
        async with Sandbox(["counter"], seed=seed) as sandbox:
            answers.append(await _count(sandbox))
    assert answers[0] == answers[1] != answers[2]


async def test_the_state_file_carries_everything_to_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    async with Sandbox(["counter", "other"], state_file=file) as first:
        before = await _count(first)
        first.world.clock.advance(86400)
        first.world.switches["counter.mood"] = "good"
        day = first.world.clock.now().date()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with Sandbox(["counter"], state_file=file) as second:
        after = await _count(second)
        assert second.world.clock.now().date() == day
        assert second.world.switches == {"counter.mood": "good"}
    assert after["count"] == 2
    assert after["id"] != before["id"]
    assert set(json.loads(file.read_text())["faces"]) == {"counter", "other"}, (
        "a face that was not served keeps its state"
    )


@pytest.mark.parametrize("content", ["{", "[]", '{"world": {}}', '{"world": 3, "faces": 4}'])
def test_a_state_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match="was not written by this version of the sandbox"):
        Sandbox(["counter"], state_file=file)
    assert file.read_text() == content


async def test_a_state_file_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    sandbox = Sandbox(["counter"], state_file=tmp_path / "no" / "state.json")
    await sandbox.start()
    with pytest.raises(ConfigError, match=r"state\.json cannot be written .*choose another place"):
        await sandbox.stop()


async def test_the_ready_file_tells_the_settings_to_its_owner_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    write_ready_file(tmp_path / "ready.json", sandbox)
    ready = json.loads((tmp_path / "ready.json").read_text())
    assert ready == {"connections": sandbox.connections, "control": sandbox.control_url}
    assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600


def test_a_private_file_leaves_no_draft_behind(tmp_path: Path) -> None:
    for text in ("old", "new"):
        write_private(tmp_path / "file", text)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("file", "new")]


def test_a_sandbox_in_a_thread_serves_synchronous_code_and_leaves_nothing() -> None:
    threads = threading.active_count()
    with SandboxThread(["counter"]) as sandbox:
        client = HTTPConnection(urlsplit(sandbox.connections["counter"]["url"]).netloc)
        client.request("POST", "/count/a")
        assert json.load(client.getresponse())["count"] == 1
        client.close()
        assert [one.path for one in sandbox.world.exchanges] == ["/count/a"]
        address = urlsplit(sandbox.control_url)
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(address.hostname), int(address.port or 0)))


def test_a_sandbox_in_a_thread_that_cannot_start_raises_where_it_was_entered() -> None:
    threads = threading.active_count()
    with SandboxThread(["counter"]) as sandbox:
        taken = int(urlsplit(sandbox.control_url).port or 0)
        with pytest.raises(ConfigError, match="cannot be had"), SandboxThread(["counter"], port=taken):
            raise AssertionError("it must not start")
    assert threading.active_count() == threads


def test_an_error_in_the_block_passes_through_the_thread() -> None:
    with pytest.raises(KeyError), SandboxThread(["counter"]):
        raise KeyError("mine")
