"""What checks bundles and receipts without this service: handed to regulators, and to visitors."""
