"""Standard tests of webhooks."""

from __future__ import annotations

from pydantic import SecretStr

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError

from .stage import Stage, listed
from .standard import requires

ADDRESS = "https://hooks.example.com/in?for=tests"


class WebhookTests:
    """Standard tests of addresses that the platform calls."""

    @requires(Feature.WEBHOOK_FIND, Feature.WEBHOOK_CREATE)
    async def test_a_webhook_is_found_as_it_was_made(self, stage: Stage) -> None:
        name = stage.new_name("webhook")
        made = await stage.adapter.webhooks.create(name, ADDRESS)
        assert (made.name, made.url, made.events, made.enabled) == (name, ADDRESS, (), True)
        found = await listed(stage.adapter.webhooks.find())
        assert made in found
        assert len({one.id for one in found}) == len(found)

    @requires(Feature.WEBHOOK_CREATE, Feature.WEBHOOK_FIND)
    async def test_a_webhooks_secret_is_never_seen_again(self, stage: Stage) -> None:
        name, secret = stage.new_name("webhook"), stage.new_name("hush")
        made = await stage.adapter.webhooks.create(name, ADDRESS, secret=SecretStr(secret))
        assert secret not in repr(made)
        assert secret not in repr([one.raw_data async for one in stage.adapter.webhooks.find()])

    @requires(Feature.WEBHOOK_CREATE)
    async def test_a_webhooks_name_is_taken_once(self, stage: Stage) -> None:
        name = stage.new_name("webhook")
        await stage.adapter.webhooks.create(name, ADDRESS)
        with stage.refused(ConflictError):
            await stage.adapter.webhooks.create(name, ADDRESS)

    @requires(Feature.WEBHOOK_CREATE)
    async def test_a_webhook_to_an_open_address_is_refused_before_sending(self, stage: Stage) -> None:
        for address in ("http://hooks.example.com/in", "hooks.example.com", ""):
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.webhooks.create(stage.new_name("webhook"), address)

    @requires(Feature.WEBHOOK_DELETE, Feature.WEBHOOK_CREATE, Feature.WEBHOOK_FIND)
    async def test_a_deleted_webhook_is_gone(self, stage: Stage) -> None:
        made = await stage.adapter.webhooks.create(stage.new_name("webhook"), ADDRESS)
        await stage.adapter.webhooks.delete(made.name)
        assert made.id not in [one.id async for one in stage.adapter.webhooks.find()]

    @requires(Feature.WEBHOOK_PING, Feature.WEBHOOK_CREATE)
    async def test_a_webhook_can_be_tried(self, stage: Stage) -> None:
        made = await stage.adapter.webhooks.create(stage.new_name("webhook"), ADDRESS)
        await stage.adapter.webhooks.ping(made.name)

    @requires(Feature.WEBHOOK_DELETE, Feature.WEBHOOK_PING)
    async def test_an_unknown_webhook_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("webhook")
        for call in (stage.adapter.webhooks.delete, stage.adapter.webhooks.ping):
            with stage.refused(NotFoundError) as caught:
                await call(name)
            assert name in str(caught.value), "the error must name what is not there"
