"""From the API to pages of records."""
