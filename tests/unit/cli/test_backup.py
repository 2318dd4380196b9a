"""`rpa-bridge backup` and `restore` on real sandboxes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sync import Bridge
from rpa_bridge.testing import SandboxThread
from tests.unit.cli.conftest import in_this_process
from tests.unit.cli.moving import QUEUE, fill, references

CANARY = "canary-of-the-backup-19ad"


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup's file: it holds secrets in clear, and so does not lie below `tmp_path`."""
    return tmp_path_factory.mktemp("backups") / "october backup.db"


def test_what_is_backed_up_can_be_restored_elsewhere_and_nothing_else_is_left(
    sandbox: SandboxThread, file: Path
) -> None:
    fill("botmaestro", 5)
    with Bridge.load() as bridge:
        bridge["botmaestro"].credentials.put("Mail", {"username": SecretStr("robot"), "password": SecretStr(CANARY)})
    kept = in_this_process("backup", "botmaestro", str(file), "--queues", "M*", "--credentials", "M*")
    assert kept.code == 0, kept.err
    assert kept.err == f"{file} holds it; rpa-bridge restore '{file}' CONNECTION puts it onto a platform\n"
    assert list(file.parent.iterdir()) == [file]
    assert os.name != "posix" or file.stat().st_mode & 0o777 == 0o600

    again = in_this_process("backup", "botmaestro", str(file))
    assert (again.code, "name a new file: a backup is whole" in again.err) == (2, True)

    back = in_this_process("restore", str(file), "uipath", "--activate", "--yes")
    assert back.code == 0, back.err
    assert references("uipath") == [f"R-{n}" for n in range(5)]
    assert list(file.parent.iterdir()) == [file]
    assert CANARY not in kept.out + kept.err + back.out + back.err


def test_without_being_asked_credentials_are_not_kept(sandbox: SandboxThread, file: Path) -> None:
    kept = in_this_process("backup", "botmaestro", str(file), "--output", "json")
    assert kept.code == 0, kept.err
    assert {one["kind"] for one in kept.json} == {"queue", "items"}
    assert "credential" not in kept.out


def test_a_restore_that_was_stopped_goes_on_with_the_same_command(sandbox: SandboxThread, file: Path) -> None:
    fill("uipath", 150)
    assert in_this_process("backup", "uipath", str(file), "--queues", "M*").code == 0
    restore = ("restore", str(file), "botmaestro", "--queues", "M*", "--yes")
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="POST *push*", skip=120, times=1000, status=403))
    stopped = in_this_process(*restore)
    assert stopped.code == 7
    assert stopped.err.startswith("the same command goes on with it\nerror: ")
    assert 100 <= len(references("botmaestro")) < 150

    sandbox.world.faults.clear()
    ended = in_this_process(*restore)
    assert ended.code == 0, ended.err
    plan = f"{file}.to-botmaestro.plan.json"
    assert ended.err.startswith(f"going on with the plan in {plan}\n")
    assert ended.err.endswith("queues stay inactive until rpa-bridge queues activate NAME --on botmaestro\n")
    assert references("botmaestro", None) == sorted(f"R-{n}" for n in range(150))
    assert list(file.parent.iterdir()) == [file], "no hint may name a file that is gone"


def test_what_cannot_go_back_is_told_with_its_remedy_and_tried_again(sandbox: SandboxThread, file: Path) -> None:
    with Bridge.load() as bridge:
        bridge["uipath"].assets.put("Mode", "live")
    assert in_this_process("backup", "uipath", str(file), "--assets", "Mode").code == 0
    with Bridge.load() as bridge:
        bridge["uipath"].assets.put("Mode", "test")
    refused = in_this_process("restore", str(file), "uipath", "--yes")
    assert refused.code == 1
    assert "set conflicts.assets to" in refused.out
    assert refused.err.startswith("error: nothing of this can go as things are; ")
    assert list(file.parent.iterdir()) == [file]

    Path("rules.toml").write_text('[conflicts]\nassets = "replace"\n')
    assert in_this_process("restore", str(file), "uipath", "--rules", "rules.toml", "--yes").code == 0
    with Bridge.load() as bridge:
        assert bridge["uipath"].assets.get("Mode").value == "live"


def test_nothing_is_restored_unless_somebody_said_yes(sandbox: SandboxThread, file: Path) -> None:
    fill("uipath", 1)
    assert in_this_process("backup", "uipath", str(file), "--queues", "M*").code == 0
    sandbox.world.exchanges.clear()
    asked = in_this_process("restore", str(file), "botmaestro")
    assert asked.code == 2
    assert "this goes to botmaestro; nobody is there to be asked, so say --yes" in asked.err
    assert not [one.path for one in sandbox.world.exchanges if one.method == "POST" and "login" not in one.path]
    assert QUEUE in asked.out, "the plan is shown before"
