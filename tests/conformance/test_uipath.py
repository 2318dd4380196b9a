"""The UiPath adapter passes the conformance suite on its sandbox."""

from __future__ import annotations

from typing import Any, ClassVar

from rpa_bridge.conformance import ConformanceSuite, never
from rpa_bridge.conformance.on_sandbox import SandboxHarness
from rpa_bridge.contract.jobs import JobState
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge_uipath.sandbox.identity import CLIENT_SECRET


class UiPathHarness(SandboxHarness):
    """Orchestrator, folder Shared, as a robot of it: only a robot may read secrets."""

    face = "uipath"
    automation = "Invoices"
    failing_automation = "Letters"
    queue = "Invoices"
    unique_queue = "Letters"
    container = "Invoices"
    secrets = (CLIENT_SECRET,)
    marks: ClassVar = {
        "incidents": never("Orchestrator knows faulted jobs, but no exceptions with files of their own"),
        "messages": never("Orchestrator sends e-mail for its alerts only"),
        "alerts.test_alerts_are_found_newest_first": never("an alert of Orchestrator names a process, not a job"),
        "credentials.test_one_field_of_a_credential_is_deleted": never("user name and password are one asset"),
    }

    def settings(self, sandbox: Sandbox) -> dict[str, Any]:
        keys = sandbox.dump()["faces"]["uipath"]["tables"]["robot keys"]
        return super().settings(sandbox) | {"robot_key": next(iter(keys.values()))["Key"]}

    def hold(self, state: JobState) -> str:
        if state is not JobState.SUSPENDED:
            return super().hold(state)
        self.world.switches["uipath.suspend_automation"] = self.automation
        return self.automation


class TestUiPath(ConformanceSuite):
    harness = UiPathHarness
