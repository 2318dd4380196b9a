from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from rpa_bridge.cli.options import Duration, Moment, confirm, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), ("1.5h", 5400), ("0", 0)]
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "-5", "5w", "1h30m", "nan", "inf", "١", "1_000", "m"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    assert seconds_of(text) is None
    with pytest.raises(click.BadParameter, match="15m"):
        Duration().convert(text, None, None)


def test_a_moment_is_read_with_its_zone() -> None:
    assert Moment(1).convert("2026-10-01T08:00Z", None, None) == datetime(2026, 10, 1, 8, tzinfo=UTC)


def test_a_moment_without_a_zone_is_this_machines() -> None:
    found = Moment(1).convert("2026-10-01T08:00", None, None)
    assert found.tzinfo is not None
    assert found.replace(tzinfo=None) == datetime(2026, 10, 1, 8)  # noqa: DTZ001 - what the clock on the wall says


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_moment_may_be_a_duration_from_now(direction: int) -> None:
    before = datetime.now(UTC)
    found = Moment(direction).convert("2h", None, None)
    after = datetime.now(UTC)
    assert before <= found - direction * timedelta(hours=2) <= after


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", ""])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a time"):
        Moment(1).convert(text, None, None)


def test_where_nobody_can_be_asked_destruction_needs_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(click.UsageError, match="--yes"):
        confirm("This deletes all", yes=False)
    confirm("This deletes all", yes=True)


@pytest.mark.parametrize(("answer", "refused"), [("y", False), ("n", True)])
def test_a_person_is_asked_before_destruction(monkeypatch: pytest.MonkeyPatch, answer: str, refused: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answer)
    if refused:
        with pytest.raises(click.ClickException, match="nothing was done"):
            confirm("This deletes all", yes=False)
    else:
        confirm("This deletes all", yes=False)
