from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from rpa_bridge.contract.adapter import Capabilities
from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.model import Severity
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock
from rpa_bridge_local import artifacts as artifacts_module
from rpa_bridge_local.adapter import LocalAdapter
from rpa_bridge_local.settings import LocalSettings

Opener = Callable[..., LocalAdapter]
MISSING = {
    Feature.AUTOMATION_PACKAGES,
    Feature.AUTOMATION_OPEN_PACKAGE,
    Feature.AUTOMATION_UPLOAD_PACKAGE,
    Feature.JOB_RESUME,
    Feature.JOB_START_MANY,
    Feature.ROBOT_MACHINES,
    *(feature for feature in Feature if feature.startswith("webhooks.")),
}
MEBIBYTE = 1024 * 1024


async def pieces(count: int, size: int = MEBIBYTE, *, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size
    if then is not None:
        raise then


async def content(adapter: LocalAdapter, name: str) -> bytes:
    async with adapter.artifacts.open(name) as stream:
        return b"".join([piece async for piece in stream])


async def a_job(adapter: LocalAdapter) -> str:
    job = await adapter.jobs.start("Quick", not_before=adapter.jobs.clock.now() + timedelta(hours=1))
    await adapter.jobs.stop(job.id)
    return job.id


def with_quick(open_local: Opener) -> LocalAdapter:
    return open_local(path=":memory:", automations={"Quick": {"command": ["true"]}})


def test_every_verb_is_there_but_those_that_have_no_meaning_here(open_local: Opener) -> None:
    capabilities: Capabilities = open_local().capabilities
    assert set(Feature) - capabilities.features == MISSING


async def test_large_files_stream_both_ways_in_constant_memory(open_local: Opener) -> None:
    adapter, count = open_local(), 24
    tracemalloc.start()
    made = await adapter.artifacts.upload("large.bin", pieces(count), size=count * MEBIBYTE)
    read = 0
    async with adapter.artifacts.open(made) as stream:
        async for piece in stream:
            read += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == made.size == count * MEBIBYTE
    assert peak < 8 * MEBIBYTE


@pytest.mark.parametrize(
    "size", [1, artifacts_module.PIECE - 1, artifacts_module.PIECE, 3 * artifacts_module.PIECE + 1]
)
async def test_pieces_of_any_size_come_back_whole(open_local: Opener, size: int) -> None:
    adapter = open_local()
    await adapter.artifacts.upload("file", pieces(5, size))
    assert await content(adapter, "file") == b"".join([piece async for piece in pieces(5, size)])


@pytest.mark.parametrize("error", [OSError("cut"), asyncio.CancelledError()])
async def test_an_upload_that_breaks_off_leaves_nothing(open_local: Opener, error: BaseException) -> None:
    adapter = open_local()
    with pytest.raises(type(error)):
        await adapter.artifacts.upload("half", pieces(3, then=error))
    left = "SELECT (SELECT count(*) FROM artifacts), (SELECT count(*) FROM pieces)"
    assert tuple(await adapter._database.read(lambda db: db.execute(left).fetchone())) == (0, 0)


async def test_a_file_of_another_size_than_announced_is_refused(open_local: Opener) -> None:
    adapter = open_local()
    with pytest.raises(InvalidError, match=r"'a\.txt' has 3 bytes, not the 4 announced; nothing was kept"):
        await adapter.artifacts.upload("a.txt", b"abc", size=4)
    assert [one async for one in adapter.artifacts.find()] == []


async def test_an_upload_whose_process_died_is_not_seen_and_swept_away(open_local: Opener) -> None:
    clock = ManualClock()
    adapter = open_local(clock=clock)
    await adapter._database.write(
        lambda db: db.execute("INSERT INTO artifacts (name, created_at) VALUES ('half', '2029-12-31T00:00:00')")
    )
    assert [one async for one in adapter.artifacts.find()] == []
    with pytest.raises(NotFoundError):
        await content(adapter, "half")
    await adapter.artifacts.upload("whole", b"abc")
    count = await adapter._database.read(lambda db: db.execute("SELECT count(*) FROM artifacts").fetchone())
    assert tuple(count) == (1,)


async def test_a_name_means_the_newest_file_and_an_id_the_one(open_local: Opener) -> None:
    adapter = open_local()
    first = await adapter.artifacts.upload("report.pdf", b"old")
    await adapter.artifacts.upload("report.pdf", b"new")
    assert await content(adapter, "report.pdf") == b"new"
    assert await content(adapter, first.id) == b"old"
    assert first.content_type == "application/pdf"


async def test_a_file_that_is_deleted_while_it_is_read_is_not_taken_for_whole(open_local: Opener) -> None:
    adapter = open_local()
    made = await adapter.artifacts.upload("large.bin", pieces(2))
    async with adapter.artifacts.open(made) as stream:
        await anext(stream)
        await adapter.artifacts.delete(made)
        with pytest.raises(NotFoundError, match="deleted while it was read"):
            await anext(stream)


@pytest.mark.parametrize("verb", ["artifacts", "alerts", "incidents"])
async def test_nothing_belongs_to_a_job_that_is_not_there(open_local: Opener, verb: str) -> None:
    adapter = open_local()
    calls = {
        "artifacts": adapter.artifacts.upload("a.txt", b"abc", job="77"),
        "alerts": adapter.alerts.send("title", "text", job="77"),
        "incidents": adapter.incidents.report(RuntimeError("a"), job="77"),
    }
    for name, call in calls.items():
        if name != verb:
            call.close()
    with pytest.raises(NotFoundError, match="there is no job '77' here"):
        await calls[verb]


@pytest.mark.shows_secrets("file", why="the local platform keeps them in its database")
async def test_secrets_are_kept_and_known_to_the_redactor(open_local: Opener) -> None:
    first, second = open_local(), open_local()
    await first.credentials.put("sap", {"password": SecretStr("canary-local-cred")}, description="for SAP")
    await first.credentials.put("sap", {"user": SecretStr("bob")})
    revealed = await second.credentials.reveal("sap")
    assert revealed["password"].get_secret_value() == "canary-local-cred"
    assert REDACTOR.clean("it is canary-local-cred") == "it is ***"
    [found] = [one async for one in second.credentials.find()]
    assert (found.keys, found.description) == (("password", "user"), "for SAP")


@pytest.mark.shows_secrets("file", why="the local platform keeps them in its database")
@pytest.mark.parametrize("is_deleted", [True, False])
async def test_a_deleted_secret_is_overwritten_in_the_file(open_local: Opener, path: str, is_deleted: bool) -> None:
    adapter = open_local()
    await adapter.credentials.put("sap", {"password": SecretStr("canary-gone")})
    await adapter.credentials.put("other", {"password": SecretStr("stays")})
    if is_deleted:
        await adapter.credentials.delete("sap")
    await adapter.aclose()
    found = b"canary-gone" in await asyncio.to_thread(Path(path).read_bytes)
    assert found is not is_deleted


async def test_an_incident_keeps_its_files_and_no_secret(open_local: Opener, tmp_path: Path) -> None:
    REDACTOR.add("canary-incident")
    adapter = with_quick(open_local)
    job = await a_job(adapter)
    screen = tmp_path / "screen.png"
    await asyncio.to_thread(screen.write_bytes, b"PNG")
    incident = await adapter.incidents.report(RuntimeError("refused canary-incident"), job=job, screenshot=screen)
    [found] = [one async for one in adapter.incidents.find(job=job)]
    assert found == incident
    assert found.message == "refused ***"
    assert "canary-incident" not in str(found.stack_trace)
    [file] = [one async for one in adapter.artifacts.find(job=job)]
    assert (file.name, file.container) == ("screen.png", f"incident-{incident.id}")
    assert await content(adapter, "screen.png") == b"PNG"


async def test_an_incident_whose_file_cannot_be_read_is_not_half_reported(open_local: Opener, tmp_path: Path) -> None:
    adapter = with_quick(open_local)
    job = await a_job(adapter)
    with pytest.raises(InvalidError, match=r"missing\.png is no file"):
        await adapter.incidents.report(RuntimeError("a"), job=job, attachments=[tmp_path / "missing.png"])
    assert [one async for one in adapter.incidents.find()] == []


async def test_an_incident_whose_file_breaks_off_leaves_no_other_file(
    open_local: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = with_quick(open_local)
    job = await a_job(adapter)
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for file in files:
        await asyncio.to_thread(file.write_text, "text")
    open_file = Path.open

    def open_but_one(path: Path, mode: str) -> Any:
        if path == files[1]:
            raise PermissionError(13, "Permission denied")
        return open_file(path, mode)

    monkeypatch.setattr(Path, "open", open_but_one)
    with pytest.raises(
        InvalidError, match=r"b\.txt cannot be read \(Permission denied\); the incident was not reported"
    ):
        await adapter.incidents.report(RuntimeError("a"), job=job, attachments=files)
    assert [one async for one in adapter.incidents.find()] == []
    assert [one async for one in adapter.artifacts.find()] == []


async def test_log_entries_are_found_by_time(open_local: Opener) -> None:
    clock = ManualClock()
    adapter = open_local(clock=clock)
    await adapter.logs.create("visits", ["who"])
    moments = []
    for who in ("Ann", "Bob", "Cid"):
        await adapter.logs.append("visits", {"who": who})
        moments.append(clock.now())
        clock.advance(60)
    found = adapter.logs.find("visits", since=moments[1], until=moments[2])
    assert [entry.values["who"] async for entry in found] == ["Bob"]


async def test_a_log_has_only_its_columns(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.logs.create("visits", ["customer"])
    with pytest.raises(InvalidError, match="no column 'custmer'; did you mean 'customer'"):
        await adapter.logs.append("visits", {"custmer": "Ann"})
    assert [entry async for entry in adapter.logs.find("visits")] == []


async def test_an_asset_keeps_its_description_and_its_type(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.assets.put("retries", 3, description="how often")
    assert (await adapter.assets.put("retries", 4)).description == "how often"
    with pytest.raises(ConflictError, match="asset 'retries' is of type integer"):
        await adapter.assets.put("retries", True)


async def test_alerts_keep_their_severity(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.alerts.send("printer", "on fire", severity=Severity.FATAL)
    [alert] = [one async for one in adapter.alerts.find()]
    assert (alert.title, alert.message, alert.severity, alert.job) == ("printer", "on fire", Severity.FATAL, None)


async def test_messages_lie_in_the_outbox(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.messages.send("hello", "<b>you</b>", emails=["ann@example.com"], group="ops", html=True)
    row = await adapter._database.read(lambda db: db.execute("SELECT * FROM messages").fetchone())
    assert (row["subject"], row["html"]) == ("hello", 1)
    assert row["recipients"] == '{"emails": ["ann@example.com"], "users": [], "group": "ops"}'


async def test_schedules_are_those_of_the_settings(open_local: Opener) -> None:
    schedules = {"nightly": {"automation": "Quick", "cron": "0 3 * * *", "timezone": "Europe/Rome", "enabled": False}}
    adapter = open_local(automations={"Quick": {"command": ["true"]}}, schedules=schedules)
    [one] = [one async for one in adapter.schedules.find()]
    assert (one.name, one.automation, one.cron, one.enabled) == ("nightly", "Quick", "0 3 * * *", False)


def test_a_schedule_of_an_unknown_automation_is_refused() -> None:
    with pytest.raises(ValidationError, match="'nightly' starts an automation that is not among"):
        LocalSettings.model_validate({"schedules": {"nightly": {"automation": "Gone"}}})


def test_the_default_file_is_the_users_own_and_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Path(LocalSettings().path).name == "local.db"
    assert Path(LocalSettings().path).parent.name == "rpa-bridge"
    assert LocalSettings(path="rpa.db").path == str(tmp_path / "rpa.db")
    assert LocalSettings(path=":memory:").path == ":memory:"


async def test_a_connections_place_is_its_file_or_a_memory_of_its_own(open_local: Opener, path: str) -> None:
    assert open_local().place == open_local().place == path
    assert open_local(path=":memory:").place != open_local(path=":memory:").place
    assert Path(open_local(path="rpa.db").place).is_absolute()
    assert open_local().settle_window == 0


async def test_check_names_what_is_wrong_and_its_mend(open_local: Opener, path: str) -> None:
    automations = {
        "Good": {"command": ["true"]},
        "Gone": {"command": ["no-such-command-at-all"]},
        "Lost": {"command": ["true"], "cwd": "/no/such/folder"},
    }
    findings = {one.subject: one for one in await open_local(automations=automations).check()}
    assert {name for name, one in findings.items() if not one.ok} == {"automation Gone", "automation Lost"}
    assert "install it, or name its full path" in findings["automation Gone"].message
    assert "correct its `cwd`" in findings["automation Lost"].message
    assert "MiB are free" in findings["disk"].message


async def test_check_finds_a_file_that_is_not_ours(open_local: Opener, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    await asyncio.to_thread(path.write_text, "notes " * 1000)
    path.chmod(0o600)
    [finding, *_] = await open_local(path=str(path)).check()
    assert not finding.ok
    assert "name another file" in finding.message


async def test_what_has_no_meaning_here_refuses(open_local: Opener) -> None:
    with pytest.raises(UnsupportedError, match=r"jobs\.resume"):
        await open_local().jobs.resume("1")
