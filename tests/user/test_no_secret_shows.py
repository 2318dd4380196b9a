"""Canaries: secrets that are planted everywhere they may enter, and looked for everywhere they must not come out.

The library's own log is read without the redacting filter: it must not need it.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rpa_bridge import Adapter, Bridge, BridgeError, ItemDraft
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.settings import Settings
from rpa_bridge.testing import ManualClock, SandboxThread

SECRET_SETTING = {"uipath": ("auth", "client_secret"), "botmaestro": ("key",)}


def secret_of(settings: dict[str, Any], vendor: str) -> str:
    """The secret in a connection's settings."""
    value: Any = settings
    for step in SECRET_SETTING[vendor]:
        value = value[step]
    return str(value)


def forms(secret: str) -> set[str]:
    """The secret as it may look after passing through something."""
    raw = secret.encode()
    encoded = {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {secret, quote(secret, safe=""), raw.hex(), json.dumps(secret)[1:-1], *encoded}


def assert_clean(text: str, secrets: set[str]) -> None:
    """No secret in any form."""
    found = [secret for secret in secrets for form in forms(secret) if form in text]
    assert not found, f"{len(found)} secrets show in: {text[:2000]}"


def contents(folder: Path) -> dict[str, str]:
    """What every file below a folder holds."""
    return {str(path): path.read_text("latin-1") for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Every line that any logger writes, at DEBUG, with tracebacks and without the filter."""
    lines: list[str] = []
    formatter = logging.Formatter("%(name)s %(message)s")

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(formatter.format(record))

    handler, root = Keep(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)


async def every_kind_of_day(adapter: Adapter, sandbox: Sandbox) -> list[str]:
    """What a person may see of good and bad calls: results, errors with their whole chain, reprs."""
    seen: list[str] = []

    async def attempt(call: Any) -> None:
        try:
            seen.append(repr(await call))
        except BridgeError as error:
            seen.append("".join(traceback.format_exception(error)))
            seen.append(repr(error) + repr(error.args) + repr(vars(error)))

    for fault in (
        None,
        Fault(FaultKind.CUT, when=When.AFTER),
        Fault(FaultKind.HTML, times=3),
        Fault(FaultKind.TRUNCATE, when=When.AFTER),
        Fault(FaultKind.STATUS, status=401, times=99),
        Fault(FaultKind.STATUS, status=403, times=3),
        Fault(FaultKind.STATUS, status=500, times=9),
        Fault(FaultKind.STATUS, status=429, headers={"Retry-After": "9999"}, times=9),
    ):
        sandbox.world.faults.clear()
        if fault is not None:
            sandbox.world.faults.add(fault)
        await attempt(adapter.jobs.start("Invoices", {"month": "2026-10"}, key="k-1"))
        await attempt(adapter.jobs.get("1"))
        await attempt(adapter.queues.add("Invoices", ItemDraft(values={"n": "1"}, reference="R-1")))
        await attempt(adapter.queues.take("Invoices"))
        await attempt(adapter.check())
        await attempt(adapter.login_status())
    seen.append(repr(adapter) + repr(vars(adapter)) + repr([vars(one) for one in adapter.services]))
    return seen


async def test_no_secret_shows_in_logs_errors_and_reprs(
    sandbox: Sandbox, bridge: Bridge, clock: ManualClock, vendor: str, log: list[str], tmp_path: Path
) -> None:
    settings = sandbox.connections[vendor]

    await bridge[vendor].queues.get("Invoices")
    records = [json.loads(text) for name, text in contents(tmp_path).items() if name.endswith(".json")]
    tokens = {record["token"]["value"] for record in records}
    seen = await every_kind_of_day(bridge[vendor], sandbox)

    secrets = {secret_of(settings, vendor), *tokens}
    assert tokens, "the record of the log-in is where the token may be"
    assert any("jobs.start" in line for line in log)
    assert_clean("\n".join(log), secrets)
    assert_clean("\n".join(seen), secrets)
    assert_clean(json.dumps(Settings.of({"connections": {vendor: settings}}).masked()), secrets)
    assert_clean("\n".join(contents(tmp_path).values()), {secret_of(settings, vendor)})


@pytest.mark.parametrize("vendor", ["uipath", "botmaestro"])
def test_no_secret_shows_on_the_command_line(vendor: str, tmp_path: Path) -> None:
    with SandboxThread([vendor]) as sandbox:
        secret = secret_of(sandbox.connections[vendor], vendor)
        settings = tmp_path / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": sandbox.connections, "cache_dir": str(tmp_path / "cache")}))
        sandbox.world.faults.add(Fault(FaultKind.STATUS, match="*Nothing*", status=403, times=99))
        shown = ""
        for arguments in (
            ["settings", "show"],
            ["check"],
            ["auth", "status"],
            ["jobs", "start", "Invoices", "--wait"],
            ["jobs", "start", "Nothing like it"],
            ["queues", "get", "Invoices"],
            ["queues", "add", "Invoices", "-v", "n=1"],
            ["jobs", "get", "999999"],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "rpa_bridge", "--settings", str(settings), "--debug", *arguments],
                env=os.environ,
                capture_output=True,
                text=True,
                timeout=60,
            )
            shown += done.stdout + done.stderr

    assert "jobs.start" in shown
    assert_clean(shown, {secret})
    assert "sandbox-" not in shown, "the sandbox's tokens begin like that"
