"""`rpa-bridge migrate` on real sandboxes: what it says, what it ends with, and that nothing is doubled by it."""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rpa_bridge.migration import Plan, Run
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sync import Bridge
from rpa_bridge.testing import SandboxThread
from tests.unit.cli.conftest import Result, in_this_process
from tests.unit.cli.moving import QUEUE, down_until_ctrl_c, fill, references
from tests.unit.cli.test_completion import completed

MANY = 800
"""Items that take some seconds to copy one by one."""
CANARY = "canary-of-the-move-7f31"
RULES = """
[[queues]]
values.number = { type = "integer" }

[[credentials]]
match = "SAP"
values = { username = "${env:SAP_USER}", password = "${env:SAP_PASSWORD}" }
"""


WRONG = [
    (("plan", "nope", "here", "--queues"), 2, "there is no connection 'nope' in "),
    (("plan", "uipath", "here"), 2, "nothing is selected; say --queues, --assets, --credentials or --artifacts"),
    (("plan", "uipath", "here", "--queues", "-o", "json"), 2, "say --output json, or -o ./json"),
    (("plan", "uipath", "here", "--queues", "-o", "plan.json"), 2, "the plan in plan.json was begun: "),
    (("plan", "uipath", "here", "--queues", "--rules", "bad.toml"), 2, "did you mean 'rename'?"),
    (("show", "nope.json"), 2, "File 'nope.json' does not exist."),
    (("show", "settings.json"), 1, "this is no plan of `rpa-bridge migrate plan`; name the file that it wrote"),
    (("apply", "edited.json"), 1, "the plan was changed after it was made; change the rules instead"),
    (("apply", "plan.json", "--journal", "here.db"), 1, "here.db is no journal of a migration; "),
    (("status", "plan.json", "--journal", "here.db"), 1, "here.db is no journal of a migration; "),
    (("status", "other.json", "--journal", "plan.json.journal"), 1, "is of the plan m-"),
    (("resume", "other.json"), 2, "other.json.journal is not there: nothing was begun, "),
    (("letters", "other.json"), 2, "other.json.journal is not there: nothing was begun, "),
    (("requeue", "plan.json"), 2, "which? Say --code or --seq; "),
    (("retire", "plan.json", "--kinds", "queues", "--yes"), 2, "'queues' cannot be retired; say some of items, "),
    (("retire", "plan.json"), 2, "what was verified is removed at the source; nobody is there to be asked"),
]
"""Arguments, the exit code, and what is said."""


def migrate(*arguments: str) -> Result:
    return in_this_process("migrate", *arguments)


def planned(source: str, target: str, *more: str) -> Plan:
    """The plan for the queue, in plan.json."""
    made = migrate("plan", source, target, "--queues", "M*", "-o", "plan.json", *more)
    assert made.code == 0, made.err
    return Plan.loads(Path("plan.json").read_text())


@asynccontextmanager
async def asked_to_stop(run: Run) -> AsyncIterator[None]:
    """Somebody who pressed Ctrl-C before anything was done."""
    run.draining.set()
    yield


def test_a_move_from_plan_to_rollback_says_each_time_what_is_next_and_shows_no_secret(
    sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("uipath", 3, number="many")
    Path("rules.toml").write_text(RULES)
    said = [migrate("plan", "uipath", "botmaestro", "--queues", "M*", "--credentials", "--rules", "rules.toml")]
    assert said[-1].err == "the plan is kept nowhere; say -o plan.json to keep it for `apply`\n"
    planned("uipath", "botmaestro", "--credentials", "--rules", "rules.toml")

    said.append(migrate("show", "plan.json"))
    assert "\n2 copy, 1 adapt, 1 manual; less than a minute: " in said[-1].out
    assert f"\n  items {QUEUE}: value 'number' becomes integer (3 items)\n" in said[-1].out
    assert "\nLeft to a person:\n  credential ApiKey: the source does not show its secrets; " in said[-1].out
    assert "cannot become integer; correct it at the source, or change the rule\n" in said[-1].out

    refused = migrate("apply", "plan.json")
    assert refused.code == 2
    assert "needs the environment variable SAP_" in refused.err
    monkeypatch.setenv("SAP_USER", "robot")
    monkeypatch.setenv("SAP_PASSWORD", CANARY)

    said.append(migrate("apply", "plan.json"))
    assert said[-1].code == 3
    assert said[-1].err.endswith("1 could not go; rpa-bridge migrate letters plan.json shows why, with a remedy each\n")
    said.append(migrate("letters", "plan.json", "--csv"))
    [letter] = csv.DictReader(io.StringIO(said[-1].out))
    assert (letter["state"], letter["code"]) == ("dead", "refused")

    said.append(migrate("requeue", "plan.json", "--code", "refused"))
    assert said[-1].err == "1 will go with rpa-bridge migrate resume plan.json\n"
    assert migrate("resume", "plan.json").code == 3, "what is not mended is a dead letter again, and stops nothing"

    said.append(migrate("verify", "plan.json", "--deep"))
    assert said[-1].code == 0
    assert "all that was compared is equal; 1 did not go: rpa-bridge migrate letters plan.json. Next: " in said[-1].err
    said.append(migrate("activate", "plan.json", "--output", "json"))
    assert said[-1].json == {"activated": [QUEUE], "by_hand": []}
    said.append(migrate("retire", "plan.json", "--yes", "--output", "json"))
    assert [(one["removed"], one["stays"]) for one in said[-1].json] == [(3, 0)]
    assert references("uipath") == ["None"], "what did not go stays"

    assert "--leave-retired" in migrate("rollback", "plan.json", "--yes").err
    assert migrate("rollback", "plan.json", "--yes", "--leave-retired").code == 0
    assert references("botmaestro") == ["R-0", "R-1", "R-2"], "the only copies"
    everything = "".join(one.out + one.err for one in said) + Path("plan.json").read_text()
    assert CANARY not in everything
    assert CANARY.encode() not in Path("plan.json.journal").read_bytes()


def test_every_look_at_a_move_can_be_had_as_one_document_or_one_line_each(sandbox: SandboxThread) -> None:
    fill("uipath", 2)
    assert migrate("plan", "uipath", "here", "--queues", "M*", "--output", "jsonl").json["format"].startswith("rpa-")
    planned("uipath", "here")
    migrate("apply", "plan.json")
    for verb, lines in (("show", 1), ("status", 1), ("letters", 0), ("verify", 2)):
        document = migrate(verb, "plan.json", "--output", "json")
        assert isinstance(document.json, dict if lines == 1 else list), verb
        assert len(migrate(verb, "plan.json", "--output", "jsonl").out.splitlines()) == lines, verb
    assert migrate("status", "plan.json", "-o", "json").json["steps"][1]["counts"] == {"verified": 2}


def test_it_ends_with_5_while_nobody_knows_what_was_done_and_finds_it_afterwards(sandbox: SandboxThread) -> None:
    fill("uipath", 3)
    planned("uipath", "botmaestro")
    after_the_queue_is_made = Fault(FaultKind.STATUS, match="*datapool*", skip=2, times=1000, status=403)
    sandbox.world.faults.add(after_the_queue_is_made)
    ended = migrate("apply", "plan.json")
    assert ended.code == 5
    assert ended.err.endswith(
        "\n1 were perhaps sent; rpa-bridge migrate resume plan.json looks for them first, and goes on\n"
    )
    assert migrate("status", "plan.json").out.endswith("; 4 open, 1 of them perhaps sent\n")

    sandbox.world.faults.clear()
    assert migrate("resume", "plan.json").code == 0
    assert references("botmaestro", None) == ["R-0", "R-1", "R-2"]
    with Bridge.load() as bridge:
        assert not bridge["botmaestro"].queues.get(QUEUE).active


def test_a_difference_ends_with_4_and_names_the_item(sandbox: SandboxThread) -> None:
    fill("uipath", 3)
    planned("uipath", "here")
    migrate("apply", "plan.json")
    with Bridge.load() as bridge:
        queues = bridge["here"].queues
        queues.remove(next(queues.items(QUEUE, reference="R-1")))
    found = migrate("verify", "plan.json")
    assert (found.code, "R-1" in found.out or "missing" in found.out.lower()) == (4, True)
    assert found.err.endswith("not all is equal: 1 differ and 0 are unfinished\n")


def started(*arguments: str) -> subprocess.Popen[str]:
    """A migration in a process of its own, as soon as something is copied."""
    child = subprocess.Popen(
        [sys.executable, "-m", "rpa_bridge", "migrate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    before = status_counts().get("confirmed", 0)
    until = time.monotonic() + 30
    while status_counts().get("confirmed", 0) < before + 50:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until, "it did not begin"
        time.sleep(0.05)
    return child


def status_counts() -> dict[str, int]:
    looked = migrate("status", "plan.json", "--output", "json")
    if looked.code:
        return {}
    return next(one["counts"] for one in looked.json["steps"] if one["kind"] == "items")


@pytest.mark.skipif(sys.platform == "win32", reason="a child cannot be sent Ctrl-C alone there")
def test_ctrl_c_once_drains_and_twice_stops_and_others_may_look_on_meanwhile(sandbox: SandboxThread) -> None:
    fill("here", MANY, active=False)
    planned("here", "botmaestro")

    with started("apply", "plan.json") as first:
        looked = migrate("status", "plan.json")
        assert looked.code == 0
        assert looked.err.startswith(f"at work on it: process {first.pid} on ")
        assert migrate("letters", "plan.json").code == 0
        second = migrate("apply", "plan.json")
        assert second.code == 1
        assert "is at work on the journal" in second.err
        assert "(--take-over)" in second.err
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=30)
    assert first.returncode == 75, err
    assert err.startswith("finishing what is under way; Ctrl-C again stops at once\n")
    assert err.endswith("are still open; rpa-bridge migrate resume plan.json goes on\n")
    assert "\x1b" not in err, "no bars where nobody looks"

    with started("resume", "plan.json") as third:
        assert third.stderr is not None
        third.send_signal(signal.SIGINT)
        assert third.stderr.readline().startswith("finishing what is under way")
        third.send_signal(signal.SIGINT)
        _, err = third.communicate(timeout=30)
    assert third.returncode == 130, err
    assert err == "stopped; what was perhaps sent is looked for first when it goes on\ninterrupted\n"

    assert migrate("resume", "plan.json").code == 0
    assert references("botmaestro", None) == sorted(f"R-{n}" for n in range(MANY))
    assert migrate("verify", "plan.json").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a child cannot be sent Ctrl-C alone there")
def test_ctrl_c_ends_the_wait_for_what_was_perhaps_sent_and_the_next_run_takes_it_up(sandbox: SandboxThread) -> None:
    fill("here", 300, active=False)
    planned("here", "botmaestro")
    taken_and_not_answered = Fault(
        FaultKind.HANG, match="POST *push*", when=When.AFTER, skip=100, times=1000, seconds=3600
    )
    sandbox.world.faults.add(taken_and_not_answered)
    with started("apply", "plan.json") as killed:
        looks = [status_counts()]
        while len(looks) < 4 or not looks[-1].get("intent") or any(one != looks[-1] for one in looks[-4:]):
            assert killed.poll() is None, killed.communicate()
            looks.append(status_counts())  # until it waits for answers that never come
        killed.kill()
    sandbox.world.faults.clear()
    settings = Path("settings.json").read_text()
    Path("settings.json").write_text(settings.replace('"settle_window": 0.3', '"settle_window": 600'))
    command = [sys.executable, "-m", "rpa_bridge", "migrate", "resume", "plan.json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        assert re.match(
            r"copying .*: looking for \d+ items whose answer was lost, for \d+ s", waiting.stderr.readline()
        )
        waiting.send_signal(signal.SIGINT)
        waiting.communicate(timeout=30)
    assert waiting.returncode == 75
    assert status_counts()["unknown"] > 0

    Path("settings.json").write_text(settings)
    assert migrate("resume", "plan.json").code == 0
    assert references("botmaestro", None) == sorted(f"R-{n}" for n in range(300))


def test_ctrl_c_before_stock_was_taken_says_so_and_resume_goes_on_as_it_tells(
    sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("here", 3)
    planned("here", "uipath")
    with monkeypatch.context() as patched:
        patched.setattr("rpa_bridge.migration.applying.apply.take_stock", down_until_ctrl_c)
        stopped = migrate("apply", "plan.json", "--allow-live")
    assert stopped.code == 75
    assert stopped.err.endswith("\nstopped before stock was taken; rpa-bridge migrate resume plan.json goes on\n")
    assert migrate("verify", "plan.json").code == 4

    assert migrate("resume", "plan.json").code == 0
    assert references("uipath") == ["R-0", "R-1", "R-2"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_full_disk_stops_it_with_a_mend_and_it_goes_on_afterwards(sandbox: SandboxThread) -> None:
    fill("uipath", 300)
    planned("uipath", "here")
    limited = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
        "from rpa_bridge.cli.main import main\n"
        "main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", limited, "migrate", "apply", "plan.json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode in (1, 5), ended.stderr
    assert "disk" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert migrate("apply", "plan.json").code == 0
    assert references("here", None) == sorted(f"R-{n}" for n in range(300))


def test_wrong_input_is_refused_with_its_mend_before_anything_is_changed(sandbox: SandboxThread) -> None:
    fill("here", 0, active=False)
    other = planned("here", "here", "--assets")
    Path("other.json").write_text(other.dumps())
    Path("edited.json").write_text(other.dumps().replace('"count": 0', '"count": 1'))
    Path("plan.json").unlink()
    planned("here", "uipath")
    assert migrate("apply", "plan.json").code == 0
    Path("bad.toml").write_text("[[queues]]\nrenam = 'x'\n")
    journal = Path("plan.json.journal").read_bytes()
    sandbox.world.exchanges.clear()

    for arguments, code, sentence in WRONG:
        ended = migrate(*arguments)
        assert (ended.code, ended.out) == (code, ""), arguments
        assert sentence in ended.err, arguments

    assert [one.path for one in sandbox.world.exchanges if one.method != "GET" and "token" not in one.path] == []
    assert Path("plan.json.journal").read_bytes() == journal


def test_a_source_that_is_at_work_is_told_and_refused(sandbox: SandboxThread) -> None:
    fill("here", 1)
    made = migrate("plan", "here", "uipath", "--queues", "M*", "-o", "plan.json")
    assert "\nAt work at the source; pause it, and plan again:\n" in made.out
    assert made.err.endswith(" or rpa-bridge migrate apply plan.json --allow-live\n")
    assert migrate("apply", "plan.json").code == 1
    assert migrate("status", "plan.json").out == "nothing is copied yet\n"
    assert migrate("apply", "plan.json", "--allow-live").code == 0


def test_what_is_advised_can_be_typed_as_it_stands(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> None:
    fill("here", 1, active=False)
    Path("settings.json").rename("my settings.json")
    files = ("my plan.json", "--settings", "my settings.json")
    made = migrate("plan", "here", "uipath", "--queues", "M*", "-o", *files)
    said = [made.err, migrate("apply", *files).err, migrate("verify", *files).err]
    with monkeypatch.context() as patched:
        patched.setattr("rpa_bridge.cli.migration_session.draining", asked_to_stop)
        said.append(migrate("retire", "--kinds", "items, asset", "--yes", *files).err)
        said.append(migrate("rollback", "--leave-retired", "--yes", *files).err)
    typed = "'my plan.json' --settings 'my settings.json'"
    for line, command in zip(
        said,
        ("apply", "verify", "activate", "retire --kinds 'items, asset'", "rollback --leave-retired"),
        strict=True,
    ):
        assert f"rpa-bridge migrate {command} {typed} " in line


def test_a_plan_of_which_nothing_goes_says_so(sandbox: SandboxThread) -> None:
    made = migrate("plan", "uipath", "botmaestro", "--assets", "-o", "plan.json")
    assert made.code == 0
    assert made.err.startswith("nothing of this can go as things are; ")
    assert "asset Currency, DryRun, Inbox, Retries: the target (BotCity BotMaestro) has no assets; " in made.out


def test_a_shell_completes_the_names_of_connections(sandbox: SandboxThread, tmp_path: Path) -> None:
    assert completed(tmp_path, "migrate", "plan", "ui") == ["uipath"]
    assert completed(tmp_path, "migrate", "plan", "uipath", "b") == ["botmaestro"]
    assert completed(tmp_path, "backup", "he") == ["here"]
