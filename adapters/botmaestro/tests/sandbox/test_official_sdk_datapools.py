"""BotCity's own SDK against the face: datapools. Defects of the SDK are named as such; docs: botmaestro.md 12"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botcity.maestro import DataPool, DataPoolEntry, FieldType, SchemaField
from botcity.maestro.datapool.enums import ConsumptionPolicyEnum, TriggerEnum
from requests import HTTPError

from rpa_bridge.testing import SandboxThread


def test_it_creates_a_datapool_and_reads_it_back(sdk: Any) -> None:
    """Defect: what the server answers is not read, the id stays None."""
    wanted = DataPool(
        label="Orders",
        name="Orders of the day",
        default_automation="Letters",
        consumption_policy=ConsumptionPolicyEnum.LIFO,
        trigger=TriggerEnum.NO_TASK_ACTIVE,
        schema=[SchemaField("number", FieldType.TEXT, True, False), SchemaField("n", FieldType.INTEGER, False, True)],
        auto_retry=False,
        max_auto_retry=2,
        abort_on_error=False,
        max_errors_before_inactive=3,
        enable_processing_time=False,
        item_max_processing_time=15,
    )
    made = sdk.create_datapool(wanted)
    assert (made is wanted, made.datapool_id, made.maestro is sdk) == (True, None, True)
    read = sdk.get_datapool("Orders")
    assert read.to_dict() == wanted.to_dict()
    assert read.datapool_id is not None
    with pytest.raises(HTTPError, match="400"):
        sdk.create_datapool(wanted)


def test_it_reads_a_datapool_from_text(sdk: Any) -> None:
    text = json.dumps({"id": "7", "label": "Orders", "defaultActivity": "Letters", "schema": []}).encode()
    pool = DataPool.from_json(text, sdk)
    assert (pool.datapool_id, pool.label, pool.default_automation) == ("7", "Orders", "Letters")


def test_it_deactivates_and_activates_a_datapool(sdk: Any, pool: Any) -> None:
    pool.create_entry(DataPoolEntry())
    assert pool.deactivate() is True
    assert not pool.is_active()
    assert (pool.has_next(), pool.next("1")) == (True, None)
    assert pool.activate() is True
    assert pool.is_active()
    assert pool.next("1") is not None


def test_a_datapool_that_is_read_looks_active_until_it_is_asked(sdk: Any, pool: Any) -> None:
    """Defect: `active` is not read."""
    pool.deactivate()
    read = sdk.get_datapool("Orders")
    assert read.active is True
    assert read.is_active() is read.active is False


def test_an_activation_from_a_stale_copy_undoes_what_others_changed(sdk: Any, pool: Any) -> None:
    """Defect: the whole object is sent."""
    other = sdk.get_datapool("Orders")
    other.max_auto_retry = 9
    other.activate()
    assert sdk.get_datapool("Orders").max_auto_retry == 9
    pool.activate()
    assert sdk.get_datapool("Orders").max_auto_retry == 1


def test_it_counts_what_is_in_a_datapool(pool: Any) -> None:
    assert (pool.is_empty(), pool.has_next()) == (True, False)
    for _ in range(2):
        pool.create_entry(DataPoolEntry())
    assert (pool.is_empty(), pool.has_next()) == (False, True)
    pool.next("1").report_done()
    summary = pool.summary()
    assert (summary["countPending"], summary["countDone"], summary["countError"]) == (1, 1, 0)
    assert summary["active"] is True


def test_it_deletes_a_datapool_whose_label_is_used_up(sdk: Any, pool: Any) -> None:
    pool._delete()
    with pytest.raises(HTTPError, match="404"):
        sdk.get_datapool("Orders")
    with pytest.raises(HTTPError, match="400"):
        sdk.create_datapool(DataPool(label="Orders"))
    for ask in (pool.activate, pool.deactivate, pool.is_active, pool.summary, pool._delete, lambda: pool.next("1")):
        with pytest.raises(HTTPError, match="404"):
            ask()


def test_a_trigger_creates_a_task(sandbox: SandboxThread, sdk: Any) -> None:
    sandbox.world.lifecycle.hold = True
    pool = DataPool(label="Orders", default_automation="Letters", trigger=TriggerEnum.NO_TASK_ACTIVE)
    sdk.create_datapool(pool)
    for _ in range(2):
        pool.create_entry(DataPoolEntry())
    tasks = sandbox.sandbox.dump()["faces"]["botmaestro"]["tasks"]
    assert [one["activity_label"] for one in tasks.values()] == ["Letters"]


def test_labels_are_not_quoted(sandbox: SandboxThread, sdk: Any) -> None:
    """Defect: what follows a # or a ? never reaches the server's path."""
    with pytest.raises(HTTPError, match="404"):
        sdk.get_datapool("R&D #1")
    assert sandbox.world.exchanges[-1].path == "/api/v2/datapool/R&D%20"
