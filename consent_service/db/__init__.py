"""Hold the main database. Whoever imports any of it finds every table in the metadata."""

from consent_service.db import event_tables as event_tables
from consent_service.db import ledger_tables as ledger_tables
from consent_service.db import tables as tables
