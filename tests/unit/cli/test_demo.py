from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rpa_bridge import registry
from rpa_bridge.cli import demo_moves, demo_steps
from rpa_bridge.cli.main import main
from rpa_bridge.contract.adapter import Adapter, AdapterContext
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.jobs import Job
from rpa_bridge.contract.queues import ItemState
from rpa_bridge.errors import ProtocolError, UnavailableError
from rpa_bridge.registry import HOW_TO_GET

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform


def run_demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = {name: str(folder) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "TMPDIR")}
    return subprocess.run(
        [sys.executable, "-m", "rpa_bridge", "demo", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **places},
    )


def spent() -> float:
    """Seconds of work of all processes that this one has started: however busy the machine is."""
    times = os.times()
    return times.children_user + times.children_system


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One demo as JSON, with how long it took and what it left behind."""
    folder = tmp_path_factory.mktemp("demo")
    began = spent()
    ended = run_demo(folder, "--output", "json")
    took = spent() - began
    assert ended.returncode == 0, ended.stderr
    left = [str(path) for path in folder.rglob("*")]
    return {"took": took, "left": left, "said": ended.stdout + ended.stderr, **json.loads(ended.stdout)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """One demo as people see it."""
    ended = run_demo(tmp_path_factory.mktemp("demo"))
    assert ended.returncode == 0, ended.stderr
    return ended


def test_it_shows_every_platform_in_less_than_eight_seconds(shown: dict[str, Any]) -> None:
    assert {story["connection"] for story in shown["stories"]} == {"uipath", "botmaestro", "local"}
    assert shown["took"] < 8


def test_a_queue_moves_through_all_of_them_and_comes_back_though_a_process_is_killed(shown: dict[str, Any]) -> None:
    legs = shown["tour"]["legs"]
    assert [(leg["source"], leg["target"]) for leg in legs] == [
        ("uipath", "botmaestro"),
        ("botmaestro", "local"),
        ("local", "uipath"),
    ]
    assert [(leg["items"], leg["verified"]) for leg in legs] == [(demo_moves.ITEMS, True)] * 3
    assert demo_moves.KILL_AT <= legs[0]["killed_at"] < demo_moves.ITEMS
    assert shown["tour"]["back"] == shown["tour"]["sent"] == demo_moves.ITEMS


def test_every_job_ends_well_and_outputs_are_shown_where_the_platform_has_them(shown: dict[str, Any]) -> None:
    jobs = {story["connection"]: story["job"] for story in shown["stories"]}
    assert {(job["state"], job["outcome"]) for job in jobs.values()} == {("finished", "succeeded")}
    assert {job["inputs"]["month"] for job in jobs.values()} == {"2026-10"}
    assert jobs["uipath"]["outputs"]
    assert jobs["local"]["outputs"] == {"closed": "2026-10"}
    assert jobs["botmaestro"]["outputs"] == {}


def test_one_item_goes_well_and_one_is_itself_at_fault_on_every_platform(shown: dict[str, Any]) -> None:
    for story in shown["stories"]:
        good, bad = story["items"]
        assert (good["reference"], good["state"]) == ("demo-1", "done"), story["connection"]
        assert (bad["reference"], bad["state"], bad["failure"]["kind"]) == ("demo-2", "failed", "business")
        assert "invoice 4712 has no amount" in bad["failure"]["reason"]


def test_a_file_a_credential_a_log_line_and_an_alert_come_back_where_the_platform_has_them(
    shown: dict[str, Any],
) -> None:
    stories = {story["connection"]: story for story in shown["stories"]}
    for name, story in stories.items():
        assert (story["file"]["name"], story["file"]["size"], story["file"]["job"]) == (
            "invoices.csv",
            24,
            story["job"]["id"],
        ), name
        assert sorted(story["credential"]["keys"]) == ["password", "username"]
        assert (story["alert"]["severity"], "invoice 4712" in story["alert"]["message"]) == ("warning", True)
    revealed = {name: story["revealed"] for name, story in stories.items()}
    assert revealed == {"botmaestro": True, "local": True, "uipath": False}, "its secrets are for robots"
    lines = {name: story["log_line"] and story["log_line"]["values"] for name, story in stories.items()}
    written = {"number": "4711", "amount": "12.5"}
    assert lines == {"botmaestro": written, "local": written, "uipath": None}


def test_it_leaves_nothing_behind(shown: dict[str, Any]) -> None:
    assert shown["left"] == []


def test_people_get_tables_side_by_side(told: subprocess.CompletedProcess[str]) -> None:
    lines = {line.split()[0]: line.split() for line in told.stdout.splitlines() if line.split()}
    assert lines["state"] == ["state", "finished", "finished", "finished"]
    assert lines["outcome"] == ["outcome", "succeeded", "succeeded", "succeeded"]
    assert told.stdout.count("invoice 4712 has no amount") == 3
    assert lines["file"] == ["file", *["invoices.csv,", "24", "bytes"] * 3]
    assert told.stdout.count("not on this platform") == lines["log"].count("platform") == 1
    assert "its process was killed when " in told.stdout
    assert "\n400 of 400 items are back, each once and the same.\n" in told.stdout


def test_no_value_of_the_credential_is_shown(shown: dict[str, Any], told: subprocess.CompletedProcess[str]) -> None:
    for value in demo_steps.SECRETS.values():
        assert value.get_secret_value() not in shown["said"] + told.stdout + told.stderr


async def test_other_items_of_the_queue_are_worked_off_first(
    platform: Platform, add_items: Callable[[int], None]
) -> None:
    add_items(2)
    adapter = registry.load_adapter("fake").open(None, AdapterContext(connection="memory"))
    good, bad = (await demo_steps.story(adapter)).items
    assert (good.reference, good.state) == ("demo-1", ItemState.DONE)
    assert (bad.reference, bad.state) == ("demo-2", ItemState.FAILED)
    assert {item.state for item in platform.items.values()} == {ItemState.DONE, ItemState.FAILED}


def test_a_step_that_fails_ends_the_demo_with_its_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(adapter: Adapter) -> Job:
        raise UnavailableError(f"{adapter.connection} is down; start it")

    monkeypatch.setattr(demo_steps, "run_a_job", broken)
    with pytest.raises(SystemExit) as end:
        main(["demo"])
    captured = capsys.readouterr()
    assert end.value.code == 11
    assert captured.out == ""
    assert captured.err.endswith("is down; start it\n")


async def test_a_file_that_comes_back_torn_ends_the_demo(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = registry.load_adapter("fake").open(None, AdapterContext(connection="memory"))
    job = await adapter.jobs.start("Invoices")
    upload = adapter.artifacts.upload

    async def torn(name: str, content: bytes, **settings: Any) -> Artifact:
        return await upload(name, content[:-1], **settings)

    monkeypatch.setattr(adapter.artifacts, "upload", torn)
    with pytest.raises(ProtocolError, match=r"the file 'invoices.csv' came back as another"):
        await demo_steps.move_a_file(adapter, job)


def test_without_adapters_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rpa_bridge.sandbox.server.installed", lambda group="": [])
    with pytest.raises(SystemExit) as end:
        main(["demo"])
    assert end.value.code == 1
    assert HOW_TO_GET in capsys.readouterr().err
