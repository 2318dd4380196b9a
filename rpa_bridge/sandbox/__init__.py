"""A stage on which the vendors' faces play: stateful, strict, on loopback only."""
