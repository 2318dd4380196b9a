"""Ports for tests that name one before anybody listens there, or want one where nobody does."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

LOWEST, HIGHEST = 10_000, 32_000
"""Below those that systems give to whoever asks for any port, so that no other test is given ours meanwhile."""


def free_port(count: int = 1) -> int:
    """The first of so many free ports in a row."""
    while True:
        first = random.SystemRandom().randrange(LOWEST, HIGHEST)
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
        return first
