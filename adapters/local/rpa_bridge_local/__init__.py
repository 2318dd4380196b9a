"""rpa_bridge adapter."""
