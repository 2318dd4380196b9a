from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import AddStatus, FailureKind, Field, ItemDraft, ItemState, QueueDraft

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run


def test_one_item_is_added_with_all_that_was_said(run: Run, platform: Platform) -> None:
    result = run(
        *("queues", "add", "Letters", "-v", "number=4711", "-v", "amount:=12.5", "--reference", "A-1"),
        *("--priority", "high", "-o", "json"),
    )
    assert result.code == 0
    assert platform.asked[0][1]["draft"] == ItemDraft(
        values={"number": "4711", "amount": 12.5}, reference="A-1", priority=Priority.HIGH
    )
    assert result.json["id"] == "1"


def test_an_item_without_values_is_refused_unasked(run: Run, platform: Platform) -> None:
    assert run("queues", "add", "Letters").code == 2
    assert platform.asked == []


def test_a_file_and_the_options_of_one_item_exclude_each_other(run: Run, platform: Platform) -> None:
    assert run("queues", "add", "Letters", "--from", "-", "-v", "a=b", input="").code == 2
    assert platform.asked == []


LINES = '{"values": {"number": 1}, "reference": "A"}\n\n{"values": {"number": 2}}\n'


def test_many_items_come_from_a_file(run: Run, platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text(LINES)
    result = run("queues", "add", "Letters", "--from", "items.jsonl", "-o", "json")
    assert (result.code, result.json["added"]) == (0, 2)
    assert [item.values["number"] for item in platform.items.values()] == [1, 2]
    assert result.err == "memory: 2 added, 0 refused, 0 unknown\n"


def test_many_items_come_from_standard_input_and_each_is_reported(run: Run) -> None:
    result = run("queues", "add", "Letters", "--from", "-", "-o", "jsonl", input=LINES)
    assert [json.loads(line)["position"] for line in result.out.splitlines()] == [0, 1]


def test_what_items_prints_can_be_added_elsewhere(
    run: Run, platform: Platform, add_items: Callable[[int], None]
) -> None:
    add_items(3)
    printed = run("queues", "items", "Letters", "-o", "jsonl").out
    platform.items.clear()
    assert run("queues", "add", "Copies", "--from", "-", input=printed).code == 0
    assert [item.values["number"] for item in platform.items.values()] == [0, 1, 2]


@pytest.mark.parametrize(("status", "code"), [(AddStatus.REFUSED, 1), (AddStatus.UNKNOWN, 5)])
def test_what_was_not_added_shows_in_the_exit_code(run: Run, platform: Platform, status: AddStatus, code: int) -> None:
    platform.add_status = status
    result = run("queues", "add", "Letters", "--from", "-", "-o", "json", input=LINES)
    assert (result.code, result.json[status]) == (code, 2)


def test_a_bad_line_stops_and_tells_what_was_added_before(run: Run, platform: Platform) -> None:
    result = run("queues", "add", "Letters", "--from", "-", input='{"values": {}}\ncanary\n')
    assert result.code == 1
    assert result.out == ""
    assert result.err == (
        "memory: stopped on the way, after 1 added, 0 refused, 0 unknown\n"
        "error: line 2 of standard input is not JSON; each line must be one object\n"
    )
    assert len(platform.items) == 1


def test_items_are_filtered_on_the_platform(run: Run, platform: Platform) -> None:
    run("queues", "items", "Letters", "--state", "failed", "--reference", "A", "--mark", "run-7/", "--after", "7")
    wanted = {"state": ItemState.FAILED, "reference": "A", "mark": "run-7/", "after": "7"}
    assert platform.asked == [("queues.items", {"queue": "Letters", **wanted})]


def test_an_item_is_marked(run: Run, platform: Platform) -> None:
    run("queues", "add", "Letters", "-v", "number=1", "--mark", "run-7/1")
    assert platform.asked[-1][1]["draft"].mark == "run-7/1"


def test_an_item_is_taken_and_completed(run: Run, platform: Platform) -> None:
    run("queues", "add", "Letters", "-v", "number=1")
    taken = run("queues", "take", "Letters", "-o", "json")
    assert taken.json["state"] == "taken"
    done = run("queues", "complete", "Letters", taken.json["id"], "-r", "booked:=true")
    assert (done.code, done.out, done.err) == (0, "", "memory: item 1 is done\n")
    assert platform.asked[-1] == ("queues.complete", {"item": "1", "output": {"booked": True}})
    assert platform.items["1"].state is ItemState.DONE


def test_an_item_is_failed_with_its_reason(run: Run, platform: Platform) -> None:
    run("queues", "add", "Letters", "-v", "number=1")
    assert run("queues", "fail", "Letters", "1", "no amount", "--kind", "business", "--detail", "d").code == 0
    failure = platform.asked[-1][1]["failure"]
    assert (failure.kind, failure.reason, failure.detail) == (FailureKind.BUSINESS, "no amount", "d")


def test_an_empty_queue_is_no_failure(run: Run) -> None:
    assert run("queues", "take", "Letters").out == ""
    result = run("queues", "take", "Letters", "-o", "json")
    assert (result.code, result.json) == (0, None)
    assert "has no new item" in result.err


def test_queues_are_listed(run: Run) -> None:
    assert run("queues", "list", "-o", "json").json[0]["name"] == "Letters"


def test_a_named_pipe_is_read_once_and_whole(run: Run, platform: Platform, tmp_path: Path) -> None:
    pipe = tmp_path / "items.pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(LINES,))
    writer.start()
    result = run("queues", "add", "Letters", "--from", str(pipe))
    writer.join()
    assert (result.code, len(platform.items)) == (0, 2)


def test_an_unknown_item_is_not_found(run: Run) -> None:
    assert run("queues", "complete", "Letters", "9").code == 8


def test_states_are_counted(run: Run, add_items: Callable[[int], None]) -> None:
    add_items(3)
    assert run("queues", "stats", "Letters", "-o", "json").json == {"new": 3}


def test_a_queue_is_deleted_only_when_somebody_says_yes(run: Run) -> None:
    refused = run("queues", "delete", "Letters")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert run("queues", "delete", "Letters", "--yes").code == 9  # asked of the platform, which cannot


@pytest.mark.parametrize(
    "arguments",
    [
        ("update", "Letters", "--rename", "Mails"),
        ("activate", "Letters"),
        ("deactivate", "Letters"),
    ],
)
def test_verbs_that_the_platform_lacks_are_refused(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("queues", *arguments).code == 9


@pytest.mark.parametrize(
    ("verb", "more"), [("progress", ["half"]), ("postpone", ["2h"]), ("remove", []), ("retry", [])]
)
def test_verbs_on_items_that_the_platform_lacks_are_refused(run: Run, verb: str, more: list[str]) -> None:
    run("queues", "add", "Letters", "-v", "number=1")
    assert run("queues", verb, "Letters", "1", *more).code == 9


@pytest.mark.parametrize("field", ["", ":text", "number:float", "number:integer,shiny"])
def test_a_field_that_is_none_is_refused(run: Run, field: str) -> None:
    result = run("queues", "create", "Letters", "--field", field)
    assert result.code == 2
    assert "NAME[:TYPE" in result.err


def test_a_queue_is_made_with_settings_of_the_platforms_own(run: Run, platform: Platform) -> None:
    result = run(
        *("queues", "create", "Letters", "--retries", "2", "--field", "number:integer,unique"),
        *("--option", "consumptionPolicy=LIFO", "--option", "itemMaxProcessingTime:=5"),
    )
    assert result.code == 0
    [(_, asked)] = platform.asked
    assert asked["draft"] == QueueDraft(
        name="Letters",
        retries=2,
        fields=(Field(name="number", type="integer", unique=True),),
        options={"consumptionPolicy": "LIFO", "itemMaxProcessingTime": 5},
    )


def test_a_pipe_that_breaks_is_an_error_and_no_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("rpa_bridge.cli.drafts._opened", lambda source: Broken())
    result = run("queues", "add", "Letters", "--from", "-")
    assert result.code == 1
    assert result.err.endswith("error: Input/output error\n")


PATIENT = """
import asyncio, sys
from rpa_bridge.cli.drafts import read_drafts

async def read():
    async for draft in read_drafts("-"):
        print(draft.values, flush=True)

asyncio.run(read())
"""


def test_ctrl_c_does_not_wait_for_a_line_that_never_comes() -> None:
    reading = subprocess.Popen(
        [sys.executable, "-c", PATIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with reading:
        assert reading.stdin is not None
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdin.write(b'{"values": {"number": 1}}\n')
        reading.stdin.flush()
        assert reading.stdout.readline() == b"{'number': 1}\n"
        reading.send_signal(signal.SIGINT)
        began = time.monotonic()
        reading.wait(timeout=10)
        assert time.monotonic() - began < 5
        assert b"Fatal" not in reading.stderr.read()
