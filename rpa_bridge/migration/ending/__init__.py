"""What comes after the copy: opening the target, and removing at either end."""
