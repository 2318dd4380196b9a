"""rpa_bridge adapter: an offline platform on one SQLite file."""
