"""The BotMaestro adapter passes the conformance suite on its sandbox."""

from __future__ import annotations

from typing import ClassVar

from rpa_bridge.conformance import ConformanceSuite, never
from rpa_bridge.conformance.on_sandbox import SandboxHarness
from rpa_bridge_botmaestro.sandbox.records import Organization


class BotMaestroHarness(SandboxHarness):
    """A workspace of BotMaestro."""

    face = "botmaestro"
    automation = "Invoices"
    failing_automation = "Letters"
    queue = "Invoices"
    secrets = (Organization().key,)
    marks: ClassVar = {
        "assets": never("BotMaestro keeps no shared settings"),
        "webhooks": never("BotMaestro calls nobody"),
        "folders": never("a workspace of BotMaestro is not divided"),
        "artifacts.test_content_of_another_size_is_refused_and_not_kept": never(
            "a file is two requests, its record and its content, and the record of a torn one cannot be deleted"
        ),
        "credentials.test_a_deleted_credential_is_gone": never("a set cannot be deleted, only emptied of its keys"),
        "jobs.test_a_restart_is_a_job_of_its_own": never("a restarted task is the same one, under its id"),
        "jobs.test_a_run_reports_its_outputs": never("a task has no outputs; a run uploads result files"),
        "jobs.test_outputs_come_back": never("a task has no outputs; it reports counts, and leaves result files"),
    }


class TestBotMaestro(ConformanceSuite):
    harness = BotMaestroHarness
