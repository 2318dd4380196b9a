"""What identity servers answer. docs: uipath.md 2"""

from __future__ import annotations

from pydantic import SecretStr

from rpa_bridge.transport.decode import WireModel


class TokenAnswer(WireModel):
    """What an identity server answers. `expires_in` may be a number or a string."""

    access_token: SecretStr | None = None
    expires_in: int | str | None = None
    scope: str | None = None
    refresh_token: SecretStr | None = None


class AuthenticateAnswer(WireModel):
    """What a server on premises answers to a password: an envelope, with the token as its `result`."""

    result: SecretStr | None = None
    success: bool | None = None
