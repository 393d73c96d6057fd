"""Statements answered by a store in this process, where the product asks the keeper for them."""

from consent_service.events.reading import StoreReader

__all__ = ["StoreReader"]
