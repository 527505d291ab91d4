"""How many event APIs `event-assets connect` connects, without an edit by hand."""
