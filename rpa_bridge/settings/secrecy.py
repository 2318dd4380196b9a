"""Which values of a connection are secrets written in clear, and how to show settings without them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rpa_bridge.errors import ConfigError
from rpa_bridge.redaction import MASK, REDACTOR

from .documents import Origin
from .places import Place, dotted, map_leaves
from .references import has_reference, mask_literals, unescape

if TYPE_CHECKING:
    from .shapes import Shape

_TELLING = re.compile(
    r"^key$|(password|passwd|passphrase|pwd|secret|token|authorization|cookie"
    r"|(api|user|access|private|secret|signing|encryption|robot)[-_]?key)$",
    re.IGNORECASE,
)
_PASSWORD_IN_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/@\s]*:[^/@\s]+@")


def guard_secrets(values: Mapping[str, Any], origin: Origin, place: Place, shape: Shape | None = None) -> None:
    """Tells the redactor every secret in clear. Raises ConfigError when others can read the file it stands in.

    Without the shape of the adapter's settings, a secret is known by its name alone.
    """

    def check(inner: Place, leaf: Any) -> Any:
        text = _text(leaf)
        if text and not has_reference(text) and _is_secret(inner, text, shape):
            if origin.exposure is not None:
                raise ConfigError(
                    f"a secret stands in clear at {dotted((*place, *inner))}, but {origin.exposure}, "
                    f"or replace the value by ${{env:NAME}}"
                )
            REDACTOR.add(unescape(text), lasting=True)
        return leaf

    map_leaves(values, check)


def masked(values: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
    """The values as they may be shown: references as written, secrets as `***`.

    What the shape does not know may be a secret under a misspelt name: it is hidden too.
    """

    def mask(inner: Place, leaf: Any) -> Any:
        text = _text(leaf)
        if text is None:
            return leaf if leaf is None or isinstance(leaf, bool) else MASK
        hide = _is_secret(inner, text, shape) or shape is None or not shape.at(inner).is_known
        return mask_literals(text) if hide else leaf

    return {key: map_leaves(one, mask, (key,)) for key, one in values.items()}


def _text(leaf: Any) -> str | None:
    """The leaf as it would be written; None for what is no text and no number, and holds no secret in clear."""
    return str(leaf) if isinstance(leaf, str | int | float) and not isinstance(leaf, bool) else None


def _is_secret(place: Place, text: str, shape: Shape | None) -> bool:
    name = next((step for step in reversed(place) if isinstance(step, str)), "")
    if _TELLING.search(name) or _PASSWORD_IN_ADDRESS.match(text):
        return True
    return shape is not None and shape.at(place).is_secret
