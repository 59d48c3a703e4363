"""Measurement of proposers, targets and judges, with intervals."""
