"""From JSON records to typed Arrow tables, and the rejects."""
