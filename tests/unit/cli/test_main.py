from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from rpa_bridge.cli import main as cli_main
from rpa_bridge.cli.exits import MEANINGS
from rpa_bridge.cli.main import COMMANDS, cli
from rpa_bridge.errors import (
    AdapterLoadError,
    AuthError,
    BridgeError,
    ConfigError,
    ConflictError,
    DeniedError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    UnavailableError,
    UnsupportedError,
    WaitTimeoutError,
)
from rpa_bridge.redaction import REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Platform, Run

HEAVY = ("aiohttp", "pydantic", "rich", "stevedore", "rpa_bridge_local", "rpa_bridge_uipath")


def heavy_modules_after(*arguments: str) -> str:
    program = (
        "import sys\n"
        "from rpa_bridge.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return ended.stderr.strip()


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("jobs", "start", "--help"), ("queues", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert heavy_modules_after(*arguments) == "[]"


def test_listing_adapters_as_json_imports_no_adapter_and_no_rich() -> None:
    assert heavy_modules_after("adapters", "-o", "json") == "[]"


def test_the_help_lists_every_command_and_every_exit_code(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    assert all(f"  {name} " in result.out for name in COMMANDS)
    assert all(f"{meaning.code:>3}  {meaning.text}" in result.out for meaning in MEANINGS)


def every_command() -> list[tuple[str, click.Command]]:
    with click.Context(cli, info_name="rpa-bridge") as ctx:
        found = []
        for name in COMMANDS:
            command = cli.get_command(ctx, name)
            assert command is not None
            found.append((name, command))
            if isinstance(command, click.Group):
                found += [(f"{name} {verb}", one) for verb, one in command.commands.items()]
        return found


@pytest.mark.parametrize(("name", "command"), every_command(), ids=[name for name, _ in every_command()])
def test_every_command_explains_itself_with_examples(run: Run, name: str, command: click.Command) -> None:
    result = run(*name.split(), "--help")
    assert result.code == 0
    assert command.help
    if not isinstance(command, click.Group):
        assert "Examples:\n" in result.out
        assert f"rpa-bridge {name}" in result.out
        assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize(("name", "command"), every_command(), ids=[name for name, _ in every_command()])
def test_no_two_options_of_a_command_share_a_name(name: str, command: click.Command) -> None:
    names = [param.name for param in command.params]
    flags = [flag for param in command.params for flag in param.opts]
    assert len(names) == len(set(names))
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BridgeError("a"), 1),
        (AdapterLoadError("a"), 1),
        (ConflictError("a"), 1),
        (ConfigError("a"), 2),
        (OutcomeUnknownError("a"), 5),
        (WaitTimeoutError("a"), 6),
        (AuthError("a"), 7),
        (DeniedError("a"), 7),
        (NotFoundError("a"), 8),
        (UnsupportedError("jobs.stop", adapter="fake"), 9),
        (RateLimitedError("a"), 10),
        (UnavailableError("a"), 11),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_is_one_line_and_has_its_exit_code(
    run: Run, platform: Platform, error: BridgeError, code: int
) -> None:
    platform.error = error
    result = run("automations", "get", "Invoices")
    assert (result.code, result.out, result.err) == (code, "", f"error: {error}\n")


def test_an_absent_noun_is_unsupported(run: Run) -> None:
    result = run("robots", "list")
    assert (result.code, result.err) == (9, "error: fake does not support robots\n")


def test_an_absent_verb_is_unsupported(run: Run) -> None:
    result = run("jobs", "stop", "1")
    assert (result.code, result.err) == (9, "error: fake does not support jobs.stop\n")


def test_an_unexpected_error_shows_where_but_neither_traceback_nor_its_words(run: Run, platform: Platform) -> None:
    platform.error = RuntimeError("holds canary-4711")
    result = run("automations", "get", "Invoices")
    assert result.code == 1
    assert result.err.startswith("error: unexpected RuntimeError in cli/conftest.py:")
    assert "run again with --debug" in result.err
    assert result.err.count("\n") == 1
    assert "canary" not in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--debug", "automations", "get", "Invoices"),
        ("automations", "--debug", "get", "Invoices"),
        ("automations", "get", "Invoices", "--debug"),
    ],
)
def test_debug_shows_the_traceback_without_secrets(run: Run, platform: Platform, arguments: tuple[str, ...]) -> None:
    REDACTOR.add("canary-4712")
    platform.error = RuntimeError("holds canary-4712")
    result = run(*arguments)
    assert "Traceback (most recent call last)" in result.err
    assert "RuntimeError: holds ***" in result.err
    assert "canary" not in result.err


def test_no_secret_of_the_settings_is_shown_in_an_error(
    run: Run, platform: Platform, write_settings: Callable[..., Path]
) -> None:
    write_settings("memory", password="canary-4713")
    platform.error = AuthError("the server said canary-4713")
    result = run("--debug", "automations", "get", "Invoices")
    assert result.code == 7
    assert "error: the server said ***\n" in result.err
    assert "canary" not in result.err + result.out


def test_an_error_cannot_forge_a_line_or_steer_the_terminal(run: Run, platform: Platform) -> None:
    platform.error = NotFoundError("no \x1b[31m\nerror: forged")
    assert run("automations", "get", "Invoices").err == "error: no \\x1b[31m\\x0aerror: forged\n"


def test_an_operating_system_error_names_the_file(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "absent" / "x.jsonl"
    result = run("queues", "add", "Letters", "--from", str(missing))
    assert result.code == 1
    assert result.err.endswith(f"error: No such file or directory: '{missing}'\n")


def test_without_a_choice_of_connections_the_error_names_them(run: Run, write_settings: Callable[..., Path]) -> None:
    write_settings("one", "two")
    result = run("automations", "list")
    assert result.code == 2
    assert "which connection? Say --on one or --on two" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--on", "two", "automations", "list"),
        ("automations", "--on", "two", "list"),
        ("automations", "list", "--on", "two"),
        ("--on", "one", "automations", "list", "--on", "two"),
    ],
)
def test_the_connection_may_be_named_anywhere_and_the_last_one_wins(
    run: Run, write_settings: Callable[..., Path], arguments: tuple[str, ...]
) -> None:
    write_settings("one", "two")
    assert run(*arguments, "-o", "json").json[0]["name"] == "Invoices"


def test_the_connection_may_come_from_the_environment(
    run: Run, write_settings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings("one", "two")
    monkeypatch.setenv("RPA_BRIDGE_ON", "two")
    assert run("automations", "list").code == 0
    monkeypatch.setenv("RPA_BRIDGE_ON", "tow")
    assert "did you mean 'two'?" in run("automations", "list").err


def test_an_unknown_connection_is_a_usage_error_with_a_hint(run: Run) -> None:
    result = run("automations", "list", "--on", "memroy")
    assert result.code == 2
    assert "did you mean 'memory'?" in result.err


@pytest.mark.parametrize(
    "arguments", [("-o", "json", "automations", "list"), ("automations", "list", "--output", "JSON")]
)
def test_the_output_may_be_named_before_and_after(run: Run, arguments: tuple[str, ...]) -> None:
    assert [one["name"] for one in run(*arguments).json] == ["Invoices", "Letters"]


def test_the_output_may_come_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RPA_BRIDGE_OUTPUT", "jsonl")
    assert len(run("automations", "list").out.splitlines()) == 2
    assert run("automations", "list", "-o", "json").json[0]["name"] == "Invoices"


def test_the_settings_may_be_named(run: Run, tmp_path: Path) -> None:
    result = run("automations", "list", "--settings", str(tmp_path / "absent.json"))
    assert result.code == 2
    assert "there is no settings file" in result.err


def test_a_mistyped_command_is_met_with_a_hint(run: Run) -> None:
    result = run("automation", "list")
    assert result.code == 2
    assert "automations" in result.err


def test_data_and_notes_never_mix(run: Run) -> None:
    result = run("jobs", "start", "Invoices", "--wait", "-o", "json")
    assert result.json["outcome"] == "succeeded"
    assert result.err == "memory: started job 1\n"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ((), ""),
        (("-v",), "info: asked for automations.get\n"),
        (("--debug",), "rpa_bridge.fake: token=***\n"),
    ],
)
def test_what_happens_is_logged_on_demand(run: Run, option: tuple[str, ...], said: str) -> None:
    result = run(*option, "automations", "get", "Invoices", "-o", "json")
    assert said in result.err
    assert bool(result.err) is bool(said)
    assert result.json["name"] == "Invoices"


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody_reads:
        ended = subprocess.run(
            [sys.executable, "-m", "rpa_bridge", "--settings", "x", "adapters", "-o", "json"],
            stdout=nobody_reads,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert ended.returncode == 1
    assert ended.stderr == ""


def test_an_interrupt_is_130(run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "ask", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    result = run("automations", "get", "Invoices")
    assert result.code == 130
    assert result.err.strip() == "interrupted"


def test_the_program_is_the_one_of_the_entry_point() -> None:
    script = Path(sys.executable).with_name("rpa-bridge")
    ended = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("rpa-bridge, version ")
    assert cli_main.PROGRAM == "rpa-bridge"
