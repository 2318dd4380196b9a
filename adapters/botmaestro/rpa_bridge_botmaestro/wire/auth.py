"""What a log-in answers. docs: botmaestro.md 2"""

from __future__ import annotations

from pydantic import SecretStr

from rpa_bridge.transport.decode import WireModel


class LoginAnswer(WireModel):
    """What a log-in answers: no lifetime, nothing to refresh with."""

    accessToken: SecretStr | None = None
    organizationLabel: str | None = None
