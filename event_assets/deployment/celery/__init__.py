"""Run launcher and settings for workers behind a Celery broker."""
