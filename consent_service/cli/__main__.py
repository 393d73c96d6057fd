"""Run the command line as `python -m consent_service.cli`."""

from consent_service.cli import main

main()
