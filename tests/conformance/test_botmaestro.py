"""The BotMaestro adapter passes the conformance suite on its sandbox."""

from __future__ import annotations

from typing import ClassVar

from rpa_bridge.conformance import ConformanceSuite, never, notimpl
from rpa_bridge.conformance.on_sandbox import SandboxHarness
from rpa_bridge_botmaestro.sandbox.records import Organization

LATER = notimpl("BotMaestro has them; the adapter begins with automations, jobs and queues")


class BotMaestroHarness(SandboxHarness):
    """A workspace of BotMaestro."""

    face = "botmaestro"
    automation = "Invoices"
    failing_automation = "Letters"
    queue = "Invoices"
    secrets = (Organization().key,)
    marks: ClassVar = {
        **dict.fromkeys(
            ("credentials", "artifacts", "robots", "logs", "alerts", "incidents", "messages", "schedules"), LATER
        ),
        "assets": never("BotMaestro keeps no shared settings"),
        "webhooks": never("BotMaestro calls nobody"),
        "folders": never("a workspace of BotMaestro is not divided"),
        "jobs.test_outputs_come_back": never("a task has no outputs; it reports counts, and leaves result files"),
    }


class TestBotMaestro(ConformanceSuite):
    harness = BotMaestroHarness
