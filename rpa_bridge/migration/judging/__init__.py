"""What becomes of each thing, noun by noun: read at both ends, judged, and never changed."""
