"""Run launcher, executor and settings for workers behind a Celery broker."""
