"""The full form of the reliability targets, as a table: python -m benchmarks.reliability"""
