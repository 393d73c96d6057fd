"""Measure the service against a floor, in one run on one machine: only the ratios mean anything elsewhere."""
