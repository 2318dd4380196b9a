from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from rpa_bridge.cli.render import cell, note, print_rich, progress, show, show_all, table, to_json
from rpa_bridge.cli.state import Output
from rpa_bridge.contract.jobs import JobState
from rpa_bridge.contract.queues import Failure, FailureKind
from rpa_bridge.redaction import REDACTOR

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        ("", "-"),
        ({}, "-"),
        ((), "-"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (JobState.RUNNING, "running"),
        (datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2030-01-01 00:00:00Z"),
        ({"a": 1, "b": None}, "a=1, b=-"),
        (("a", "b"), "a, b"),
        (Failure(kind=FailureKind.BUSINESS, reason="no"), "kind=business, reason=no, detail=-"),
        ("red \x1b[31m\r\x9b", "red \\x1b[31m\\x0d\\x9b"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_cells_are_for_people(value: Any, words: str) -> None:
    assert cell(value) == words


def test_json_is_utf_8_and_cannot_steer_a_terminal() -> None:
    text = to_json({"name": "Ação", "bad": "\x1b\x9b\ud800"})
    assert text == '{"name": "Ação", "bad": "\\u001b\\u009b\\ud800"}'.encode()
    assert json.loads(text) == {"name": "Ação", "bad": "\x1b\x9b\ud800"}


def test_notes_hide_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    REDACTOR.add("canary-note-1")
    note("it is canary-note-1")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "it is ***\n")


class Source:
    """Values that tell how many of them were asked for, and whether they were closed."""

    def __init__(self, count: int, breaks: bool = False) -> None:
        self.count = count
        self.breaks = breaks
        self.given = 0
        self.closed = False

    async def values(self) -> AsyncIterator[dict[str, int]]:
        try:
            for number in range(self.count):
                self.given += 1
                yield {"number": number}
            if self.breaks:
                raise ZeroDivisionError
        finally:
            self.closed = True


async def test_a_table_stops_after_a_hundred_rows_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    source = Source(500)
    await show_all(source.values(), ("number",), Output.TABLE, None)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1 + 100
    assert captured.err == "there are more than these 100; --limit 0 shows all\n"
    assert source.given == 101
    assert source.closed


async def test_a_table_of_exactly_a_hundred_rows_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    await show_all(Source(100).values(), ("number",), Output.TABLE, None)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("output", "limit"), [(Output.TABLE, 0), (Output.JSONL, None), (Output.JSONL, 0)])
async def test_all_values_are_given_where_no_limit_holds(
    capsys: pytest.CaptureFixture[str], output: Output, limit: int | None
) -> None:
    await show_all(Source(250).values(), ("number",), output, limit)
    assert len(capsys.readouterr().out.splitlines()) == 250 + (output is Output.TABLE)


@pytest.mark.parametrize("output", list(Output))
async def test_a_limit_asks_for_no_more_than_it_needs(capsys: pytest.CaptureFixture[str], output: Output) -> None:
    source = Source(250)
    await show_all(source.values(), ("number",), output, 3)
    assert source.given == 3
    assert source.closed
    assert "2" in capsys.readouterr().out


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_json_is_one_document(capsys: pytest.CaptureFixture[str], count: int) -> None:
    await show_all(Source(count).values(), ("number",), Output.JSON, None)
    assert json.loads(capsys.readouterr().out) == [{"number": number} for number in range(count)]


async def test_json_that_broke_on_the_way_cannot_be_taken_for_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        await show_all(Source(2, breaks=True).values(), ("number",), Output.JSON, None)
    with pytest.raises(json.JSONDecodeError):
        json.loads(capsys.readouterr().out)


async def test_jsonl_gives_what_came_before_the_break(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        await show_all(Source(2, breaks=True).values(), ("number",), Output.JSONL, None)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_nothing_is_null_in_json_and_nothing_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    for output in Output:
        show(None, output)
    assert capsys.readouterr().out == "null\n"


def test_a_table_in_a_pipe_is_neither_cut_nor_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    print_rich(table([{"state": JobState.FINISHED, "message": long}], ("state", "message")))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"finished  {long}"
    assert "\x1b" not in "".join(lines)


def test_a_column_may_show_a_part_of_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"failure": Failure(kind=FailureKind.BUSINESS, reason="no amount", detail="line 1\nline 2")}
    print_rich(table([failed, {"failure": None}], ("failure.reason",)))
    assert capsys.readouterr().out == "FAILURE REASON\nno amount\n-\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 60 columns; `with shown_on(terminal)` makes it stdout and stderr."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


@contextlib.contextmanager
def shown_on(screen: io.StringIO) -> Iterator[None]:
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        yield


def test_a_terminal_gets_colour_and_whole_values(terminal: Terminal) -> None:
    with shown_on(terminal):
        print_rich(table([{"ok": False, "message": "y" * 100}], ("ok", "message")))
    assert "\x1b[31mno" in terminal.getvalue()
    assert terminal.getvalue().count("y") == 100


def test_no_color_is_respected(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with shown_on(terminal):
        print_rich(table([{"ok": False}], ("ok",)))
    assert "no" in terminal.getvalue()
    assert "\x1b[31m" not in terminal.getvalue()


def test_progress_is_drawn_on_a_terminal(terminal: Terminal) -> None:
    with shown_on(terminal), progress("adding", 10, unit="items") as meter:
        meter.advance(10)
    assert "adding" in terminal.getvalue()


def test_progress_in_a_pipe_is_silent() -> None:
    pipe = io.StringIO()
    with shown_on(pipe), progress("adding", 10, unit="items") as meter:
        meter.advance(10)
    assert pipe.getvalue() == ""


@pytest.mark.parametrize("output", list(Output))
def test_the_vendors_raw_payload_is_never_printed(run: Run, add_items: Callable[[int], None], output: Output) -> None:
    add_items(2)
    for verb in (("items", "Letters"), ("item", "Letters", "1")):
        result = run("queues", *verb, "-o", output)
        assert result.code == 0
        assert "raw" not in result.out


def test_dates_of_json_keep_their_zone() -> None:
    assert to_json(datetime(2030, 1, 1, tzinfo=UTC)) == b'"2030-01-01T00:00:00+00:00"'
