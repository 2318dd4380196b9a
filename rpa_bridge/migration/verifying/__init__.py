"""Reading back what was copied, and comparing."""
