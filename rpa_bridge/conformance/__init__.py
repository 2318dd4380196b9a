"""The conformance suite: what every adapter has to prove. See docs/conformance.md.

Subclass `ConformanceSuite` in your tests and give it a `Harness`. This package needs pytest; nothing else does.
"""

import pkgutil

try:
    import pytest
except ImportError:
    raise ImportError("rpa_bridge.conformance needs pytest; run: pip install pytest") from None

pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

# the modules below must be imported after the line above, which makes their assertions tell what they compared
from .harness import AheadClock, Harness  # noqa: E402
from .marks import Mark, Word, never, notimpl, notyet  # noqa: E402
from .suite import ConformanceSuite  # noqa: E402

__all__ = ["AheadClock", "ConformanceSuite", "Harness", "Mark", "Word", "never", "notimpl", "notyet"]
