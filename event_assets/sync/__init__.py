"""One sync: plan, extract, load, log."""
