from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.errors import UnavailableError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run

CONTENT = bytes(range(256)) * 100


@pytest.fixture(autouse=True)
def files(platform: Platform) -> None:
    for number, (name, job) in enumerate([("report.pdf", "1"), ("report.pdf", "2"), ("../../evil.sh", "3")]):
        artifact = Artifact(id=f"id-{number}", name=name, job=job, size=len(CONTENT))
        platform.files[artifact.id] = (artifact, CONTENT)


def test_a_file_is_saved_under_its_own_name(run: Run, tmp_path: Path) -> None:
    result = run("artifacts", "download", "report.pdf", "--job", "1")
    assert (result.code, result.out, result.err) == (0, "", "memory: saved 'report.pdf'\n")
    assert (tmp_path / "report.pdf").read_bytes() == CONTENT


def test_a_file_is_found_by_its_id_and_saved_where_one_wants_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert run("artifacts", "download", "id-1", "--to", "folder").code == 0
    assert run("artifacts", "download", "id-1", "--to", "folder/other.pdf").code == 0
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {"report.pdf", "other.pdf"}


def test_a_file_cannot_leave_its_folder_by_its_name(run: Run, tmp_path: Path) -> None:
    assert run("artifacts", "download", "id-2").code == 0
    assert (tmp_path / "evil.sh").exists()
    assert not (tmp_path.parent.parent / "evil.sh").exists()


def test_a_file_may_go_to_stdout(run: Run, platform: Platform) -> None:
    platform.files["id-0"] = (platform.files["id-0"][0], b"text")
    assert run("artifacts", "download", "id-0", "--to", "-").out == "text"


def test_a_name_that_several_files_have_is_refused_with_their_ids(run: Run, tmp_path: Path) -> None:
    result = run("artifacts", "download", "report.pdf")
    assert result.code == 1
    assert "2 files are called 'report.pdf'" in result.err
    assert "'id-0', 'id-1'" in result.err
    assert not (tmp_path / "report.pdf").exists()


def test_an_unknown_file_is_not_found(run: Run) -> None:
    assert run("artifacts", "download", "nothing.pdf").code == 8


def test_an_existing_file_is_kept_without_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"mine")
    assert run("artifacts", "download", "id-0").code == 2
    assert (tmp_path / "report.pdf").read_bytes() == b"mine"
    assert run("artifacts", "download", "id-0", "--force").code == 0
    assert (tmp_path / "report.pdf").read_bytes() == CONTENT


def test_a_download_that_breaks_leaves_nothing_behind(run: Run, platform: Platform, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    platform.cut_after = 1000
    platform.error = UnavailableError("the connection was cut; try again")
    assert run("artifacts", "download", "id-0").code == 11
    assert set(tmp_path.iterdir()) == before


def test_a_file_is_sent_whole(run: Run, platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "out.bin").write_bytes(CONTENT)
    result = run("artifacts", "upload", "out.bin", "--name", "in.bin", "--job", "7", "-o", "json")
    assert (result.json["name"], result.json["size"], result.json["job"]) == ("in.bin", len(CONTENT), "7")
    assert platform.files["id-in.bin"][1] == CONTENT


def test_a_file_that_is_not_there_is_a_usage_error(run: Run) -> None:
    assert run("artifacts", "upload", "absent.bin").code == 2


def test_files_are_listed(run: Run) -> None:
    assert [one["id"] for one in run("artifacts", "list", "--job", "2", "-o", "json").json] == ["id-1"]


def test_deleting_is_refused_where_the_platform_cannot(run: Run) -> None:
    assert run("artifacts", "delete", "id-0", "--yes").code == 9
