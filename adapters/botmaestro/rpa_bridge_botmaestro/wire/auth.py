"""What log-ins and the server's version are asked at and answered with. docs: botmaestro.md 2"""

from __future__ import annotations

from pydantic import SecretStr

from rpa_bridge.transport.decode import WireModel

LOGIN = "auth.login"
LOGIN_PATH = "/workspace/login"
VERSION_PATH = "/maestro/version"


class LoginAnswer(WireModel):
    """What a log-in answers: no lifetime, nothing to refresh with."""

    accessToken: SecretStr | None = None
    organizationLabel: str | None = None


class VersionAnswer(WireModel):
    """What every server tells, whoever asks."""

    version: str
