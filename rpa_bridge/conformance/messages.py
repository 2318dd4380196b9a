"""Standard tests of messages."""

from __future__ import annotations

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import InvalidError

from .stage import Stage
from .standard import requires


class MessageTests:
    """Standard tests of writing to people."""

    @requires(Feature.MESSAGE_SEND)
    async def test_a_message_is_accepted_as_text_and_as_html(self, stage: Stage) -> None:
        for body, html in (("größer ☃\n100 %", False), ("<b>größer</b>", True)):
            await stage.adapter.messages.send("it's urgent", body, emails=["somebody@example.com"], html=html)

    @requires(Feature.MESSAGE_SEND)
    async def test_a_message_to_nobody_is_refused_before_sending(self, stage: Stage) -> None:
        with stage.refused(InvalidError, unsent=True):
            await stage.adapter.messages.send("subject", "body")
