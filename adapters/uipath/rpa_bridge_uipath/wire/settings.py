"""The server's version and the tenant's licence. docs: uipath.md 3.18"""

from __future__ import annotations

from rpa_bridge.transport.decode import WireModel


class VersionAnswer(WireModel):
    """What server this is, as newer ones tell."""

    version: str | None = None


class LicenseDto(WireModel):
    """A licence. Its dates are Unix seconds, unlike all others."""

    ExpireDate: int | None = None
    GracePeriodEndDate: int | None = None
    IsRegistered: bool | None = None
    IsExpired: bool | None = None
