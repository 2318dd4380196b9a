from __future__ import annotations

from pathlib import Path

import click
import pytest

from rpa_bridge.cli.files import LONGEST_NAME, safe_name, whole_file


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute/path.txt", "path.txt"),
        ("C:\\x\\y.txt", "y.txt"),
        ("C:y.txt", "C_y.txt"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("folder/", "_"),
        ("a\x00b\x1b[31m.txt", "a_b_[31m.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("trailing. . ", "trailing"),
        ("what?*.csv", "what__.csv"),
        ("u\u0308ber.txt", "über.txt"),
        ("lone\ud800.txt", "lone?.txt"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_long_names_keep_their_suffix_and_whole_characters() -> None:
    shortened = safe_name("ä" * 300 + ".pdf")
    assert shortened.endswith("ä.pdf")
    assert len(shortened.encode()) <= LONGEST_NAME


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "x.bin"
    with whole_file(target, force=False) as file:
        file.write(b"half")
        assert not target.exists()
    assert target.read_bytes() == b"half"
    assert list(tmp_path.iterdir()) == [target]


def write_and_fail(target: Path, *, force: bool) -> None:
    with whole_file(target, force=force) as file:
        file.write(b"new")
        raise ZeroDivisionError


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(tmp_path / "x.bin", force=False)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "x.bin"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        write_and_fail(target, force=True)
    assert target.read_bytes() == b"old"


def test_an_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    target = tmp_path / "x.bin"
    target.write_bytes(b"old")
    with pytest.raises(click.UsageError, match="--force"), whole_file(target, force=False):
        pytest.fail("it must not get here")
    with whole_file(target, force=True) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"


def test_a_file_that_came_up_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "x.bin"
    with pytest.raises(click.UsageError, match="exists"), whole_file(target, force=False):
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    target = tmp_path / "x.bin"
    target.symlink_to(outside)
    with pytest.raises(click.UsageError, match="exists"), whole_file(target, force=False):
        pytest.fail("it must not get here")
    with whole_file(target, force=True) as file:
        file.write(b"new")
    assert not outside.exists()
    assert not target.is_symlink()


def test_a_second_download_of_the_same_file_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.bin"
    with whole_file(target, force=False) as file:
        with pytest.raises(click.UsageError, match="another download"), whole_file(target, force=False):
            pytest.fail("it must not get here")
        file.write(b"first")
    assert target.read_bytes() == b"first"
