"""The app of a Celery worker: `celery --app event_assets.cli.celery_worker worker`."""

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task

from event_assets.definitions import defs
from event_assets.deployment.celery import settings

# Load the definitions in the main process, from which the workers' processes are forked.
defs()

app = make_app(settings.app_args())
run = create_execute_job_task(app)
