"""SQL that derives tables from `event_data`."""
