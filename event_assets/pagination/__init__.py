"""Pagination that misses no row, or reports that it may have."""
