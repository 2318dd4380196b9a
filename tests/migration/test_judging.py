"""What becomes of each kind of thing, and which rule mends what is blocked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from rpa_bridge.contract.queues import Field, ItemDraft, QueueDraft
from rpa_bridge.migration.documents import Kind, Verdict
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.selection import Selection
from tests.migration.ends import AUTOMATION, CREDENTIAL, QUEUE, Ends, two_ends
from tests.migration.plans import QUEUES, planned, steps


@pytest.fixture
async def to_uipath(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ends]:
    """From a local platform, empty, to UiPath."""
    async with two_ends("local", "uipath", tmp_path_factory.mktemp("ends")) as both:
        yield both


@pytest.fixture
async def to_botmaestro(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ends]:
    """From a local platform, empty, to BotMaestro."""
    async with two_ends("local", "botmaestro", tmp_path_factory.mktemp("ends")) as both:
        yield both


async def test_what_a_queue_loses_is_told(to_botmaestro: Ends) -> None:
    fields = (
        Field(name="n", type="integer", unique=True, required=True),
        Field(name="paid", type="boolean"),
        Field(name="secret"),
    )
    draft = QueueDraft(name="A", unique_references=True, retries=2, fields=fields, description="d")
    await to_botmaestro.source.adapter.queues.create(draft)
    rule = {"rename": "B-{name}", "values": {"n": {"rename": "número"}, "secret": {"drop": True}}}
    step = steps(await planned(to_botmaestro, QUEUES, queues=[rule]), Kind.QUEUE)["A"]
    assert (step.verdict, step.to) == (Verdict.ADAPT, "B-A")
    assert [one.partition(":")[0] for one in step.losses] == [
        "references are no longer unique",
        "field 'n' is no longer required",
        "field 'paid' becomes text",
        "field 'secret' is dropped, as the rules say",
    ]
    assert step.settings["fields"] == [
        {"name": "número", "type": "integer", "unique": True, "required": False},
        {"name": "paid", "type": "text", "unique": False, "required": False},
    ]


async def test_a_queue_that_the_target_refuses_is_blocked_with_its_items_and_a_rule_mends_it(to_uipath: Ends) -> None:
    queues = to_uipath.source.adapter.queues
    await queues.create(QueueDraft(name="N" * 51, retries=2))
    await queues.create(QueueDraft(name="R", retries=51))
    await queues.add("R", ItemDraft(values={}))
    made = await planned(to_uipath, QUEUES)
    assert "at most 50 fit" in steps(made, Kind.QUEUE)["N" * 51].reason
    assert "retries" in steps(made, Kind.QUEUE)["R"].reason
    items = steps(made, Kind.ITEMS)["R"]
    assert (items.verdict, items.reason, items.count, items.blocked) == (Verdict.BLOCKED, "its queue is blocked", 0, 1)
    mended = await planned(to_uipath, QUEUES, queues=[{"match": "N*", "rename": "N"}, {"retries": 50}])
    assert all(one.goes for one in mended.steps)


async def test_two_queues_never_become_one(local_ends: Ends) -> None:
    made = steps(await planned(local_ends, queues=[{"rename": "One"}]), Kind.QUEUE)
    assert [one.verdict for one in made.values()] == [Verdict.COPY, Verdict.BLOCKED]
    assert "queues.rename" in made[QUEUE].reason


async def test_a_queue_is_not_copied_onto_itself(local_ends: Ends) -> None:
    source = local_ends.source.adapter
    made = await plan(source, source, Selection(queues=(QUEUE,)), clock=local_ends.clock)
    assert [one.verdict for one in made.steps] == [Verdict.BLOCKED, Verdict.BLOCKED]
    renamed = Rules.of({"queues": [{"rename": "{name} 2"}]})
    made = await plan(source, source, Selection(queues=(QUEUE,)), rules=renamed, clock=local_ends.clock)
    assert all(one.goes for one in made.steps)


@pytest.mark.parametrize(
    ("policy", "retries", "verdict"),
    [
        ("fail", 9, Verdict.BLOCKED),
        ("skip", 9, Verdict.SKIP),
        ("replace", 9, Verdict.COPY),
        ("fail", 2, Verdict.SKIP),
    ],
)
async def test_a_queue_that_is_there_is_met_as_the_rules_say(
    local_ends: Ends, policy: str, retries: int, verdict: Verdict
) -> None:
    await local_ends.source.adapter.queues.create(QueueDraft(name="Plain", retries=2))
    await local_ends.target.adapter.queues.create(QueueDraft(name="PLAIN", retries=retries))
    made = await planned(local_ends, Selection(queues=("Plain",)), conflicts={"queues": policy})
    queue, items = made.steps
    assert (queue.verdict, queue.exists) == (verdict, True)
    assert items.goes is (verdict is not Verdict.BLOCKED)
    assert (queue.to == "PLAIN") is items.goes
    assert any("already" in one for one in made.warnings) is items.goes


async def test_items_that_cannot_go_are_counted_and_shown_by_their_ids(to_uipath: Ends) -> None:
    queues = to_uipath.source.adapter.queues
    await queues.create(QueueDraft(name="Q"))
    drafts = [
        ItemDraft(values={"a.b": "canary-a"}),
        ItemDraft(values={"big": "x" * 600_000}),
        ItemDraft(values={}, reference="r" * 129),
        ItemDraft(values={"lines": ["canary-b"]}),
        ItemDraft(values={"nested": {}}),
    ]
    await queues.add_many("Q", drafts)
    made = await planned(to_uipath, QUEUES)
    step = steps(made, Kind.ITEMS)["Q"]
    assert (step.verdict, step.count, step.blocked, len(step.examples)) == (Verdict.ADAPT, 2, 3, 3)
    assert step.losses == ("lists and objects in values become JSON text (2 items)",)
    assert all(one.startswith("item ") for one in step.examples)
    assert "canary" not in made.dumps()
    kept = steps(await planned(to_uipath, QUEUES, queues=[{"nested": "keep"}]), Kind.ITEMS)["Q"]
    assert (kept.verdict, kept.blocked) == (Verdict.BLOCKED, 5)


async def test_a_second_item_with_a_reference_is_blocked_where_the_target_takes_it_once(local_ends: Ends) -> None:
    source = local_ends.source.adapter.queues
    await source.create(QueueDraft(name="Q"))
    await source.add_many("Q", [ItemDraft(values={}, reference=one) for one in ("a", "b", "a")])
    assert steps(await planned(local_ends, QUEUES), Kind.ITEMS)["Q"].blocked == 0
    await local_ends.target.adapter.queues.create(QueueDraft(name="Q", unique_references=True))
    skip = {"conflicts": {"queues": "skip"}}
    step = steps(await planned(local_ends, QUEUES, **skip), Kind.ITEMS)["Q"]
    assert (step.count, step.blocked, step.settings["guarantee"]) == (2, 1, "server-enforced unique references")
    assert "queues.reference" in step.examples[0]
    dropped = await planned(local_ends, QUEUES, **skip, queues=[{"match": "Q", "reference": "drop"}])
    step = steps(dropped, Kind.ITEMS)["Q"]
    assert (step.count, step.blocked, step.settings["guarantee"]) == (3, 0, "settle window 0 s")


async def test_items_that_the_queue_will_not_expect_are_told(to_botmaestro: Ends) -> None:
    target, source = to_botmaestro.source, to_botmaestro.target  # BotMaestro takes what its fields do not expect
    fields = (Field(name="n", type="integer"), Field(name="key", unique=True))
    await source.adapter.queues.create(QueueDraft(name="Q", fields=fields))
    drafts = [ItemDraft(values={"n": "12", "key": "a"}), ItemDraft(values={"n": 1, "key": "a"}), ItemDraft(values={})]
    await source.adapter.queues.add_many("Q", drafts)
    ends = Ends(source, target, to_botmaestro.clock)
    told = steps(await planned(ends, Selection(queues=("Q",))), Kind.ITEMS)["Q"].losses
    assert [one.partition(":")[0] for one in told] == [
        "value 'key' is that of an earlier item, and the queue expects each once",
        "value 'n' is not of the type integer that the queue expects",
    ]
    mended = [{"values": {"n": {"type": "integer"}, "key": {"drop": True}}}]
    assert len(steps(await planned(ends, Selection(queues=("Q",)), queues=mended), Kind.ITEMS)["Q"].losses) == 2
    assert steps(await planned(ends, QUEUES, queues=[{"fields": "drop"}]), Kind.ITEMS)["Q"].losses == ()


async def test_a_file_is_not_copied_onto_itself(local_ends: Ends) -> None:
    source, rules = local_ends.source.adapter, Rules.of({"conflicts": {"artifacts": "replace"}})
    made = await plan(source, source, Selection(artifacts=("**",)), rules=rules, clock=local_ends.clock)
    assert [(one.verdict, one.blocked) for one in made.steps] == [(Verdict.BLOCKED, 2)]


async def test_a_name_that_differs_in_case_only_is_not_taken_for_the_one_that_is_there(local_ends: Ends) -> None:
    await local_ends.source.adapter.assets.put("RATE", "1")
    await local_ends.target.adapter.assets.put("rate", "2")
    await local_ends.target.adapter.assets.put("RATE", "1")
    [step] = (await planned(local_ends, Selection(assets=("RATE",)))).steps
    assert (step.to, step.verdict) == ("RATE", Verdict.SKIP)


async def test_assets_need_a_rule_where_the_target_has_none(to_botmaestro: Ends) -> None:
    await to_botmaestro.source.adapter.assets.put("Rate", 3)
    select = Selection(assets=("*",))
    [step] = (await planned(to_botmaestro, select)).steps
    assert step.verdict is Verdict.BLOCKED
    assert "assets.into_credential" in step.reason
    into = {"assets": [{"into_credential": "Settings", "rename": "rate"}]}
    [step] = (await planned(to_botmaestro, select, **into)).steps
    assert (step.verdict, step.to, step.settings["field"]) == (Verdict.ADAPT, "Settings/rate", "rate")
    await to_botmaestro.target.adapter.credentials.put("Settings", {"rate": SecretStr("there")})
    [step] = (await planned(to_botmaestro, select, **into)).steps
    assert (step.verdict, step.exists) == (Verdict.BLOCKED, True)


@pytest.mark.parametrize(
    ("there", "policy", "verdict", "word"),
    [
        ("EUR", "fail", Verdict.SKIP, "the same"),
        ("USD", "fail", Verdict.BLOCKED, "conflicts.assets"),
        ("USD", "skip", Verdict.SKIP, "another value"),
        ("USD", "replace", Verdict.COPY, ""),
        (7, "replace", Verdict.BLOCKED, "of type integer"),
    ],
)
async def test_an_asset_that_is_there_is_met_as_the_rules_say(
    local_ends: Ends, there: str | int, policy: str, verdict: Verdict, word: str
) -> None:
    await local_ends.source.adapter.assets.put("Currency", "EUR")
    await local_ends.target.adapter.assets.put("CURRENCY", there)
    [step] = (await planned(local_ends, Selection(assets=("Curr*",)), conflicts={"assets": policy})).steps
    assert (step.verdict, step.exists, step.to) == (verdict, True, "CURRENCY")
    assert word in step.reason


async def test_what_an_asset_loses_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with two_ends("uipath", "local", tmp_path_factory.mktemp("ends")) as ends:
        made = steps(await planned(ends, Selection(assets=("*",))), Kind.ASSET)
    assert made["Inbox"].losses == ("the values of 1 single robot are not carried over",)
    assert made["Currency"].verdict is Verdict.COPY


async def test_secrets_that_the_source_hides_are_left_to_a_person(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with two_ends("uipath", "local", tmp_path_factory.mktemp("ends"), reveals=False) as ends:
        select = Selection(credentials=("SAP",))
        [step] = (await planned(ends, select)).steps
        assert step.verdict is Verdict.MANUAL
        assert "password, username" in step.reason
        references = {"username": "${env:SAP_USER}", "password": "$SAP_PASSWORD"}
        [step] = (await planned(ends, select, credentials=[{"values": references}])).steps
        assert step.verdict is Verdict.COPY
        assert step.settings["fields"] == {name: {"reference": value} for name, value in references.items()}


async def test_fields_of_a_credential_must_be_those_that_the_target_knows(to_uipath: Ends) -> None:
    fields = {"user": SecretStr("a-canary"), "pass": SecretStr("b-canary"), "client": SecretStr("c-canary")}
    await to_uipath.source.adapter.credentials.put("SAP login", fields)
    select = Selection(credentials=("*",))
    [step] = (await planned(to_uipath, select)).steps
    assert step.verdict is Verdict.BLOCKED
    assert "credentials.fields" in step.reason
    both = {"user": "username", "pass": "username", "client": ""}
    [step] = (await planned(to_uipath, select, credentials=[{"fields": both}])).steps
    assert "two of its fields become 'username'" in step.reason
    right = both | {"pass": "password"}
    [step] = (await planned(to_uipath, select, credentials=[{"fields": right}])).steps
    assert (step.verdict, step.losses) == (Verdict.ADAPT, ("field 'client' is left out",))
    assert step.settings["fields"]["password"] == {"from": "platform", "field": "pass"}


async def test_a_credential_that_is_there_is_met_as_the_rules_say(local_ends: Ends) -> None:
    await local_ends.target.adapter.credentials.put(CREDENTIAL, {"x": SecretStr("there-canary")})
    select = Selection(credentials=("*",))
    for policy, verdict in {"fail": Verdict.BLOCKED, "skip": Verdict.SKIP, "replace": Verdict.COPY}.items():
        [step] = (await planned(local_ends, select, conflicts={"credentials": policy})).steps
        assert (step.verdict, step.exists) == (verdict, True)


async def test_files_need_a_place_that_the_target_has(to_botmaestro: Ends) -> None:
    source, target = to_botmaestro.source.adapter, to_botmaestro.target.adapter
    await source.artifacts.upload("a.txt", b"1", container="Reports")
    select = Selection(artifacts=("**",))
    [step] = (await planned(to_botmaestro, select)).steps
    assert step.verdict is Verdict.BLOCKED
    assert "artifacts.job" in step.reason
    [step] = (await planned(to_botmaestro, select, artifacts=[{"job": "4711"}])).steps
    assert "the target has no job '4711'" in step.reason
    job = await target.jobs.start(AUTOMATION)
    [step] = (await planned(to_botmaestro, select, artifacts=[{"job": job.id}])).steps
    assert (step.verdict, step.name, step.count, step.bytes) == (Verdict.COPY, "Reports", 1, 1)


async def test_files_go_to_a_bucket_that_is_there(to_uipath: Ends) -> None:
    await to_uipath.source.adapter.artifacts.upload("a.txt", b"1", container="Nowhere")
    await to_uipath.source.adapter.artifacts.upload("b.txt", b"1")
    select = Selection(artifacts=("**",))
    made = steps(await planned(to_uipath, select), Kind.ARTIFACTS)
    assert "the target has no container 'Nowhere'" in made["Nowhere"].reason
    assert "artifacts.container" in made[""].reason
    made = steps(await planned(to_uipath, select, artifacts=[{"container": "Invoices"}]), Kind.ARTIFACTS)
    assert all(one.goes and one.to == "Invoices" for one in made.values())


async def test_no_file_takes_the_place_of_another(local_ends: Ends) -> None:
    source, target = local_ends.source.adapter.artifacts, local_ends.target.adapter.artifacts
    await source.upload("october.csv", b"another", container="Other")
    select, one_place = Selection(artifacts=("**",)), {"artifacts": [{"container": "All"}]}
    made = steps(await planned(local_ends, select, **one_place), Kind.ARTIFACTS)
    assert (made["Other"].verdict, "artifacts.name" in made["Other"].reason) == (Verdict.BLOCKED, True)
    apart = {"artifacts": [{"container": "All", "name": "{container}/{name}"}]}
    assert all(one.goes for one in (await planned(local_ends, select, **apart)).steps)
    await target.upload("october.csv", b"there", container="All")
    made = steps(await planned(local_ends, select, **one_place), Kind.ARTIFACTS)
    assert (made["Invoices"].count, made["Invoices"].blocked) == (1, 1)
    skipping = await planned(local_ends, select, **one_place, conflicts={"artifacts": "skip"})
    assert (steps(skipping, Kind.ARTIFACTS)["Invoices"].count, skipping.warnings[0][:6]) == (1, "1 file")
    replacing = await planned(local_ends, select, **one_place, conflicts={"artifacts": "replace"})
    assert steps(replacing, Kind.ARTIFACTS)["Invoices"].count == 2
