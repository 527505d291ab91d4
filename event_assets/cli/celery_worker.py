"""What a Celery worker serves: `celery --app event_assets.cli.celery_worker worker`."""

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_task

from event_assets.definitions import defs
from event_assets.deployment.celery import settings

app = make_app(settings.app_args())
run = create_execute_job_task(app)
step = create_task(app)

# In the worker's main process: those that do the work are forked from it, with all imports done.
defs()
