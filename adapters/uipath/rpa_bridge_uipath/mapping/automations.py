"""Releases in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.automations import Automation
from rpa_bridge_uipath.wire.automations import ReleaseDto


def automation(release: ReleaseDto) -> Automation:
    """The release in neutral words."""
    return Automation(
        id=release.Key,
        name=release.Name,
        description=release.Description,
        version=release.ProcessVersion,
        package=release.ProcessKey,
        raw_data=release.raw,
    )
