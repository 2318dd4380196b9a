"""Logging in: tokens are asked for once, kept where nobody else may read them, and shared by all processes."""
