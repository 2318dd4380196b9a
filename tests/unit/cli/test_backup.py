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
from tests.unit.cli.moving import QUEUE, down_until_ctrl_c, fill, references

CANARY = "canary-of-the-backup-19ad"


class Died(BaseException):
    """The process ends here."""


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


def test_a_backup_of_a_part_that_was_stopped_never_passes_for_the_whole(
    sandbox: SandboxThread, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("uipath", 2)
    part = ("backup", "uipath", str(file), "--queues", "M*")
    with monkeypatch.context() as patched:
        patched.setattr("rpa_bridge.migration.applying.apply.take_stock", down_until_ctrl_c)
        stopped = in_this_process(*part)
    assert stopped.code == 75
    assert stopped.err.endswith("\nstopped before stock was taken; the same command goes on\n")

    begun = f"'{file}.plan.json' was begun with uipath --queues 'M*'; give the same again, which goes on with it, or "
    for other in (("uipath",), ("uipath", "--queues"), ("botmaestro", "--queues", "M*")):
        refused = in_this_process("backup", other[0], str(file), *other[1:])
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.endswith(f"{begun}name a new file\n")

    ended = in_this_process(*part)
    assert ended.code == 0, ended.err
    assert list(file.parent.iterdir()) == [file]


def test_a_restore_that_was_stopped_is_not_gone_on_with_by_other_rules(
    sandbox: SandboxThread, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("uipath", 2)
    assert in_this_process("backup", "uipath", str(file), "--queues", "M*").code == 0
    Path("rules.toml").write_text('[[queues]]\nrename = "Old {name}"\n')
    restore = ("restore", str(file), "botmaestro", "--queues", "M*", "--yes")
    with monkeypatch.context() as patched:
        patched.setattr("rpa_bridge.migration.applying.apply.take_stock", down_until_ctrl_c)
        assert in_this_process(*restore).code == 75

    refused = in_this_process(*restore, "--rules", "rules.toml")
    plan = f"{file}.to-botmaestro.plan.json"
    assert refused.code == 2
    assert "was begun with botmaestro --queues 'M*', by other rules; give the same again" in refused.err
    assert refused.err.endswith(f"or remove {plan} and {plan}.journal to begin anew\n")
    assert in_this_process(*restore).code == 0
    assert references("botmaestro", None) == ["R-0", "R-1"]


def test_a_backup_that_dies_while_it_plans_leaves_nothing_in_the_way_of_the_next(
    sandbox: SandboxThread, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("uipath", 2)

    def died(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("rpa_bridge.cli.migration_session.write_plan", died)
        with pytest.raises(Died):
            in_this_process("backup", "uipath", str(file), "--queues", "M*")

    assert list(file.parent.iterdir()) == []
    assert in_this_process("backup", "uipath", str(file), "--queues", "M*").code == 0


def test_a_backup_of_nothing_makes_no_file(sandbox: SandboxThread, file: Path) -> None:
    fill("uipath", 2)
    nothing = in_this_process("backup", "uipath", str(file), "--queues", "Zzz")
    assert (nothing.code, "nothing of this can go as things are" in nothing.err) == (1, True)
    assert list(file.parent.iterdir()) == []
    assert in_this_process("backup", "uipath", str(file), "--queues", "M*").code == 0


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
