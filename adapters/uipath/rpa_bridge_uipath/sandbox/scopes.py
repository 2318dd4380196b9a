"""What tokens may be asked to allow. docs: uipath.md 2.2"""

from __future__ import annotations

DEFAULT_SCOPE = "OR.Default"
"""The rights that an application, or a person, has been given in the tenant."""
FAMILIES = {
    f"OR.{name}"
    for name in (
        "Administration", "Assets", "Audit", "Execution", "Folders", "Jobs", "License", "Machines", "Monitoring",
        "Queues", "Robots", "Settings", "Tasks", "TestSets", "Users", "Webhooks",
    )
}  # fmt: skip
_BOTH = FAMILIES | {f"{family}.{way}" for family in FAMILIES for way in ("Read", "Write")}
OFFLINE = "offline_access"
"""Asks for a refresh token."""
APPLICATION_SCOPES = _BOTH | {DEFAULT_SCOPE}
"""Of confidential applications, which act for themselves."""
USER_SCOPES = _BOTH | {OFFLINE, "openid", "profile", "email"}
"""Of applications that act for a person. The two do not mix."""


def opens(scope: str, family: str, method: str) -> bool:
    """Whether a token with this scope may send such a request to an operation of the family."""
    needed = {DEFAULT_SCOPE, family, f"{family}.{'Read' if method == 'GET' else 'Write'}"}
    return not needed.isdisjoint(scope.split())
