"""Making a plan: both ends are read, and every thing that is selected gets its verdict."""
