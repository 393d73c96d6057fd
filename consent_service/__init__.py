"""Consent first: decisions, the events they allow, and the reports those events make."""

__version__ = "0.1.0"
