"""The journal of a migration: what is about to be sent, and what became of it."""
