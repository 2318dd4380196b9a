"""BotCity's own SDK against the face: result files and credentials. Its defects are named; docs: botmaestro.md 12"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botcity.maestro import Artifact
from requests import HTTPError

from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.testing import SandboxThread


@pytest.fixture
def reports(sdk: Any, task: Any, tmp_path: Path) -> dict[str, bytes]:
    """Seven files that were posted, which are two pages, by name."""
    contents = {f"report-{number}.bin": bytes([number, 0, 255]) * number for number in range(7)}
    for name, content in contents.items():
        file = tmp_path / name
        file.write_bytes(content)
        sdk.post_artifact(task.id, file.stem, str(file))
    return contents


def test_it_posts_lists_and_gets_files(sdk: Any, task: Any, reports: dict[str, bytes]) -> None:
    listed = sdk.list_artifacts()
    assert sorted(one.name for one in listed) == sorted(reports)
    assert dict(sdk.get_artifact(one.id) for one in listed) == reports
    assert {(one.task_id, one.filename == one.name) for one in listed} == {(task.id, True)}


def test_it_lists_the_files_of_the_last_days(
    sandbox: SandboxThread, sdk: Any, task: Any, reports: dict[str, bytes], tmp_path: Path
) -> None:
    sandbox.world.switches["botmaestro.token_lifetime"] = None
    sandbox.world.clock.advance(8 * 24 * 3600)
    assert sdk.list_artifacts() == []
    assert len(sdk.list_artifacts(days=9)) == len(reports)


def test_it_posts_no_file_that_is_not_there(sandbox: SandboxThread, sdk: Any, task: Any, tmp_path: Path) -> None:
    asked = len(sandbox.world.exchanges)
    with pytest.raises(FileNotFoundError):
        sdk.post_artifact(task.id, "report", str(tmp_path / "nothing.txt"))
    with pytest.raises(ValueError, match="Invalid file type"):
        sdk.post_artifact(task.id, "report", str(tmp_path))
    assert len(sandbox.world.exchanges) == asked


def test_an_upload_that_fails_leaves_a_record_without_a_file(
    sandbox: SandboxThread, sdk: Any, task: Any, tmp_path: Path
) -> None:
    """Defect: the answer to the download is not looked at, so that the error's text becomes the file's content."""
    file = tmp_path / "report.txt"
    file.write_text("all is well")
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="POST */artifact/log/*", status=500))
    with pytest.raises(ValueError, match=r"Error during artifact posting. Server returned 500"):
        sdk.post_artifact(task.id, "report", str(file))
    (left,) = sdk.list_artifacts()
    name, content = sdk.get_artifact(left.id)
    assert (name, json.loads(content)["message"]) == ("report.txt", f"The file of artifact {left.id} not found")


def test_a_page_of_files_that_fails_is_a_key_error(sandbox: SandboxThread, sdk: Any, reports: dict[str, bytes]) -> None:
    """Defect: only the first page is looked at for errors."""
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="GET */artifact?*page=1*", body='{"message": "no"}'))
    with pytest.raises(KeyError, match="content"):
        sdk.list_artifacts()
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="GET */artifact?*page=0*", body='{"message": "no"}'))
    with pytest.raises(ValueError, match=r"Error during artifact listing. Server returned 503. no"):
        sdk.list_artifacts()


def test_unknown_files_and_tasks_are_errors(sdk: Any, tmp_path: Path) -> None:
    """Defect: a record that cannot be made is called a log entry."""
    with pytest.raises(ValueError, match=r"Error during artifact get. Server returned 404"):
        sdk.get_artifact(99)
    file = tmp_path / "report.txt"
    file.write_text("all is well")
    with pytest.raises(ValueError, match=r"Error during new log entry. Server returned 404"):
        sdk.post_artifact(99, "report", str(file))


def test_nobody_knows_who_made_a_file(sandbox: SandboxThread, sdk: Any, reports: dict[str, bytes]) -> None:
    """Defect: it reads `user`, where the wire says `userId`."""
    listed = sdk.list_artifacts()[0]
    assert (listed.user, listed.organization) == (None, 1)
    assert sandbox.sandbox.dump()["faces"]["botmaestro"]["artifacts"][str(listed.id)]["user_id"] == 1
    wire = {"id": 3, "fileName": "a.txt", "userId": 1}
    assert Artifact.from_json(json.dumps(wire)) == Artifact.from_dict(wire)
    assert json.loads(listed.to_json())["filename"] == listed.name


def test_it_creates_reads_updates_and_removes_credentials(sdk: Any) -> None:
    made = json.loads(sdk.create_credential("bank", "user", "ann"))
    assert json.loads(made["payload"])["label"] == "bank"
    assert sdk.create_credential("bank", "pin", "01234") is None
    assert [sdk.get_credential("bank", key) for key in ("user", "pin")] == ["ann", "01234"]
    sdk.update_credential("bank", "pin", 'größer "1"')
    assert [sdk.get_credential("bank", key) for key in ("user", "pin")] == ["ann", 'größer "1"']
    sdk.remove_credential("bank", "user")
    sdk.remove_credential("bank", "pin")
    with pytest.raises(ValueError, match="404"):
        sdk.get_credential("bank", "user")


def test_unknown_sets_and_keys_are_not_changed(sdk: Any) -> None:
    """Defect: a set that is unknown is an HTTPError, a key that is unknown a ValueError."""
    for change in (partial(sdk.update_credential, key="pin", new_value="1"), partial(sdk.remove_credential, key="pin")):
        with pytest.raises(HTTPError, match="404"):
            change("nothing")
        with pytest.raises(ValueError, match="Key 'pin' does not exist"):
            change("erp")
    with pytest.raises(HTTPError, match="400"):
        sdk.create_credential("erp", "user", "other")
    assert sdk.get_credential("erp", "user") == "robot"


def test_a_set_that_cannot_be_read_counts_as_missing(sandbox: SandboxThread, sdk: Any) -> None:
    """Defect: it then tries to create the set, whatever was wrong."""
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="GET */credential/erp", status=500))
    with pytest.raises(HTTPError, match="400"):
        sdk.create_credential("erp", "pin", "1")
    tried = sandbox.world.exchanges[-1]
    assert (tried.method, tried.path) == ("POST", "/api/v2/credential")
    with pytest.raises(ValueError, match="404"):
        sdk.get_credential("erp", "pin")


def test_a_change_of_one_key_sends_all_values_again(sandbox: SandboxThread, sdk: Any) -> None:
    """Defect: it would write masked values back, too; the sandbox refuses them."""
    sandbox.world.switches["botmaestro.mask_secrets"] = True
    with pytest.raises(HTTPError, match="400"):
        sdk.update_credential("erp", "user", "ann")
    sandbox.world.switches["botmaestro.mask_secrets"] = False
    assert [sdk.get_credential("erp", key) for key in ("user", "password")] == ["robot", "acme-sandbox-password"]
