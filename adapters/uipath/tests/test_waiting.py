"""Waiting for many jobs: one list looks at fifty, and the cloud's budget of lists is kept."""

from __future__ import annotations

from collections.abc import Callable

from rpa_bridge import Adapter
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.jobs import UiPathJobs
from rpa_bridge_uipath.settings import UiPathSettings

Requests = Callable[[str], list[Exchange]]
SETTINGS = {
    "url": "https://cloud.uipath.com/acme/default/orchestrator_",
    "auth": {"type": "client_credentials", "client_id": "me", "client_secret": "hush"},
}


async def test_many_jobs_cost_one_list_for_each_fifty(erp: Adapter, sandbox: Sandbox, requests: Requests) -> None:
    sandbox.world.lifecycle.looks = 3
    jobs = await erp.jobs.start_many("Invoices", 200)
    before = len(sandbox.world.exchanges)

    ended = await erp.jobs.wait_all(jobs)

    assert [job.id for job in ended] == [job.id for job in jobs]
    lists = [one for one in sandbox.world.exchanges[before:] if "/odata/Jobs?" in one.path]
    rounds = len(lists) / (200 / UiPathJobs.looks_at)
    assert rounds <= 8
    assert len(requests("GET *Jobs(*")) == 200, "each that ended is read once more, whole"


async def test_a_few_jobs_are_looked_at_one_by_one(erp: Adapter, requests: Requests) -> None:
    jobs = [await erp.jobs.start("Invoices") for _ in range(2)]
    before = len(requests("GET */odata/Jobs[?]*"))

    await erp.jobs.wait_all(jobs)

    assert len(requests("GET */odata/Jobs[?]*")) == before


def test_the_cloud_gets_fewer_lists_than_it_allows_and_other_servers_as_many_as_are_asked() -> None:
    cloud = UiPathSettings.model_validate(SETTINGS)
    for rate in cloud.list_rates.values():
        assert rate.burst + 60 * rate.per_second == 90
    assert set(cloud.list_rates) == {"Jobs", "QueueItems"}
    assert UiPathSettings.model_validate(SETTINGS | {"url": "https://rpa.example.com"}).list_rates == {}
    fewer = UiPathSettings.model_validate(SETTINGS | {"lists_a_minute": 30}).list_rates["Jobs"]
    assert fewer.burst + 60 * fewer.per_second == 30
