"""BotCity's own SDK from PyPI against the face: the second witness's witness. Here: logging in, and running as a bot.

Where a docstring says "defect", the SDK does what nobody would want; the test says what. docs: botmaestro.md 12
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botcity.maestro
import pytest
from botcity.maestro import AutomationTask, AutomationTaskFinishStatus, BotMaestroSDK

from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.testing import SandboxThread


def _public_members() -> set[str]:
    """The methods and properties of all that the package shows; what begins with an underscore is private."""
    shown = [one for one in vars(botcity.maestro).values() if inspect.isclass(one)]
    return {
        name
        for kind in shown
        for name, member in vars(kind).items()
        if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property))
    }


def test_each_public_method_and_property_is_named_by_a_test() -> None:
    tests = [
        ast.parse(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("test_official_sdk*.py")
    ]
    named = {node.attr for tree in tests for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert len(_public_members()) > 50
    assert _public_members() - named == set()


def test_it_logs_in_and_is_refused_with_a_wrong_key(sandbox: SandboxThread, sdk: Any) -> None:
    assert sdk.is_online
    assert sdk.version == "4.0.0"
    settings = sandbox.connections["botmaestro"]
    with pytest.raises(ValueError, match="401"):
        BotMaestroSDK(settings["server"], settings["login"], "wrong").login()


def test_it_logs_in_with_what_it_is_given_late_and_a_slash_too_many(sandbox: SandboxThread) -> None:
    settings = sandbox.connections["botmaestro"]
    sdk = BotMaestroSDK()
    given: dict[str, str] = {}
    for name in ("server", "login", "key"):
        with pytest.raises(ValueError, match=f"{name.title()} is required"):
            sdk.login(**given)
        given[name] = settings[name]
    sdk.login(**given | {"server": f"{settings['server']}/"})
    assert (sdk.server, sdk.organization, sdk.is_online) == (settings["server"], settings["login"], True)


def test_it_logs_off_by_forgetting_its_token(sandbox: SandboxThread, sdk: Any) -> None:
    """Defect: nothing is revoked, the token stays good."""
    token = sdk.access_token
    asked = len(sandbox.world.exchanges)
    sdk.logoff()
    assert (sdk.is_online, len(sandbox.world.exchanges)) == (False, asked)
    with pytest.raises(RuntimeError, match="Access Token not available"):
        sdk.get_task(1)
    sdk.access_token = token
    assert sdk.create_task("Letters", {}).id


def test_its_requests_carry_the_login_as_organization(sandbox: SandboxThread, sdk: Any) -> None:
    """Defect: the label that the log-in answers is dropped."""
    sdk.create_task("Letters", {})
    assert sandbox.world.exchanges[-1].headers["organization"] == sandbox.connections["botmaestro"]["login"]
    sandbox.world.switches["botmaestro.organization_header"] = "label"
    with pytest.raises(ValueError, match="403"):
        sdk.get_task(1)
    sdk.organization = "acme"
    assert sdk.get_task(1).id == 1


def test_it_is_a_bot_that_the_runner_started(
    sdk: Any, run_as_bot: Callable[[Any], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = sdk.create_task("Invoices", {"month": "2026-10"})
    arguments = run_as_bot(task)
    monkeypatch.setattr(sys, "argv", ["bot.py", *arguments])
    bot = BotMaestroSDK.from_sys_args()
    assert [bot.server, bot.task_id, bot.access_token, bot.organization] == arguments
    assert (bot.is_online, bot.version) == (True, "4.0.0")
    execution = bot.get_execution()
    assert (execution.server, execution.task_id, execution.token) == tuple(arguments[:3])
    assert execution.parameters == {"month": "2026-10"}
    running = bot.get_task(bot.task_id)
    assert (running.state, running.machine_id, running.is_interrupted()) == ("RUNNING", "runner-1", False)
    sdk.interrupt_task(task.id)
    assert bot.get_task(bot.task_id).is_interrupted()
    bot.finish_task(bot.task_id, AutomationTaskFinishStatus.SUCCESS, "all", 2, 2, 0)
    assert sdk.get_task(task.id).state == "FINISHED"


def test_an_old_runner_names_no_organization(
    sdk: Any, task: Any, run_as_bot: Callable[[Any], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["bot.py", *run_as_bot(task)[:3]])
    bot = BotMaestroSDK.from_sys_args()
    assert bot.organization == ""
    assert bot.get_execution().parameters == {"month": "2026-10"}


def test_without_a_runner_it_logs_in_where_a_default_server_is_given(
    sandbox: SandboxThread, task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sandbox.connections["botmaestro"]
    monkeypatch.setattr(sys, "argv", ["bot.py"])
    bot = BotMaestroSDK.from_sys_args(settings["server"], settings["login"], settings["key"])
    assert bot.is_online
    with pytest.raises(ValueError, match="A task ID must be informed"):
        bot.get_execution()
    bot.task_id = task.id
    assert bot.get_execution().task_id == task.id
    assert not BotMaestroSDK.from_sys_args().is_online


def test_a_token_that_ends_is_the_end_of_a_bot(
    sandbox: SandboxThread,
    task: Any,
    run_as_bot: Callable[[Any], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Defect: it never logs in again, and a bot has no key to do so."""
    monkeypatch.setattr(sys, "argv", ["bot.py", *run_as_bot(task)])
    bot = BotMaestroSDK.from_sys_args()
    sandbox.world.clock.advance(3600)
    for _ in range(2):
        with pytest.raises(ValueError, match="401"):
            bot.get_task(task.id)
    with pytest.raises(ValueError, match="Key is required"):
        bot.login()


def test_it_never_tries_again(sandbox: SandboxThread, sdk: Any, task: Any) -> None:
    """Defect: a single 503 is the caller's."""
    asked = len(sandbox.world.exchanges)
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, status=503, headers={"Retry-After": "1"}))
    with pytest.raises(ValueError, match="503"):
        sdk.get_task(task.id)
    assert len(sandbox.world.exchanges) == asked + 1


def test_a_timeout_ends_a_request_and_is_the_callers(sandbox: SandboxThread, sdk: Any, task: Any) -> None:
    assert sdk.timeout == 30.0
    sdk.timeout = 0.1
    sandbox.world.faults.add(Fault(kind=FaultKind.HANG, match="GET */task/*"))
    with pytest.raises(OSError, match="timed out"):
        sdk.get_task(task.id)


@pytest.mark.parametrize(
    ("version", "call"),
    [
        ("1.9.9", lambda sdk: sdk.interrupt_task(1)),
        ("1.9.9", lambda sdk: sdk.error(1, ValueError())),
        ("1.9.9", lambda sdk: sdk.get_credential("erp", "user")),
        ("1.9.9", lambda sdk: sdk.create_credential("erp", "pin", "1")),
        ("2.9.9", lambda sdk: sdk.update_credential("erp", "user", "ann")),
        ("2.9.9", lambda sdk: sdk.remove_credential("erp", "user")),
        ("3.0.1", lambda sdk: sdk.create_datapool(botcity.maestro.DataPool(label="Orders"))),
        ("3.0.1", lambda sdk: sdk.get_datapool("Invoices")),
    ],
)
def test_an_older_server_is_not_asked_for_what_it_does_not_know(
    sandbox: SandboxThread, sdk: Any, version: str, call: Callable[[Any], Any]
) -> None:
    sandbox.world.switches["botmaestro.version"] = version
    sdk.login()
    asked = len(sandbox.world.exchanges)
    with pytest.raises(RuntimeError, match=f"Your version: {version}"):
        call(sdk)
    assert len(sandbox.world.exchanges) == asked


def test_offline_it_answers_a_function_or_an_empty_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Defect: without MOCK_OBJECT_WHEN_DISCONNECTED most methods answer a function, where a task is expected."""
    monkeypatch.setattr(BotMaestroSDK, "RAISE_NOT_CONNECTED", False)
    offline = BotMaestroSDK()
    with pytest.warns(UserWarning, match="Running on Offline mode"), pytest.warns(UserWarning, match="'get_task'"):
        assert offline.get_task(1)() is None
    with pytest.warns(UserWarning, match="Invoked 'get_execution'"):
        assert offline.get_execution("7").parameters == {}
    monkeypatch.setattr(BotMaestroSDK, "MOCK_OBJECT_WHEN_DISCONNECTED", True)
    with pytest.warns(UserWarning, match="Invoked 'get_task'"):
        assert offline.get_task(1) == AutomationTask()
