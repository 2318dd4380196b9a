"""What a platform is: nouns, verbs, values. Pure; no I/O and no vendor's name."""
