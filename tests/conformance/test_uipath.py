"""The UiPath adapter passes the conformance suite on its sandbox."""

from __future__ import annotations

from typing import ClassVar

from rpa_bridge.conformance import ConformanceSuite, never, notimpl
from rpa_bridge.conformance.on_sandbox import SandboxHarness
from rpa_bridge_uipath.sandbox.identity import CLIENT_SECRET

LATER = notimpl("Orchestrator has them; the adapter begins with automations, jobs and queues")


class UiPathHarness(SandboxHarness):
    """Orchestrator, folder Shared."""

    face = "uipath"
    automation = "Invoices"
    failing_automation = "Letters"
    queue = "Invoices"
    unique_queue = "Letters"
    secrets = (CLIENT_SECRET,)
    marks: ClassVar = {
        **dict.fromkeys(
            ("assets", "credentials", "artifacts", "robots", "logs", "alerts", "folders", "schedules"), LATER
        ),
        "incidents": never("Orchestrator knows faulted jobs, but no exceptions with files of their own"),
        "messages": never("Orchestrator sends e-mail for its alerts only"),
        "queues.test_a_text_that_looks_like_a_date_survives": never("Orchestrator takes such a text for a date"),
    }


class TestUiPath(ConformanceSuite):
    harness = UiPathHarness
