"""Alerts to a chat when a job or a check fails, and when it works again."""

import html
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from event_assets._compat.dagster import is_check_failure
from event_assets.orchestration.code_locations import is_in_location
from event_assets.orchestration.metadata import format_time
from event_assets.orchestration.partitions import account_of_run
from event_assets.values.errors import UserError
from event_assets.values.redaction import SecretRedactor, find_secrets
from event_assets.values.wording import counted, shorten

WEBHOOK = "ALERT_WEBHOOK_URL"
DAGSTER_URL = "EVENTS_DAGSTER_URL"  # of the UI, for those who read the message
TIMEOUT = 10.0  # seconds
INTERVAL = 30  # seconds between two ticks
MAX_RUNS = 500  # finished runs read in one tick
MAX_ALERT_LENGTH = 300  # characters of a cause
MAX_LINES = 20  # of one message
FAILURE_PREFIX = f"{dg.Failure.__module__}.Failure: "
QUERY = re.compile(r"\?[^\s'\"]+")

State = dict[str, Any]


class Outcome(NamedTuple):
    """What a run says about a job or a check."""

    what: str
    failure: str | None  # the cause; None if it works
    run_id: str
    time: float


FindOutcomes = Callable[[dg.DagsterInstance, dg.DagsterRun, float], Iterator[Outcome]]


def build_sensors() -> list[dg.SensorDefinition]:
    """Build the sensors of the alerts, which run if `ALERT_WEBHOOK_URL` is set."""
    return [
        _build_sensor(
            "alert_on_failed_runs", "a job fails, and when it works again", _find_job_outcomes
        ),
        _build_sensor(
            "alert_on_failed_checks",
            "a check fails with ERROR, as `fresh` does when syncs stop, and when it passes again",
            _find_check_outcomes,
        ),
    ]


def _build_sensor(name: str, event: str, find_outcomes: FindOutcomes) -> dg.SensorDefinition:
    on = bool(os.environ.get(WEBHOOK))

    @dg.sensor(
        name=name,
        description=f"Sends a message to {WEBHOOK} when {event}.",
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED,
    )
    def send_alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Send all new alerts in one message; the cursor keeps what was sent."""
        if not os.environ.get(WEBHOOK):
            return dg.SkipReason(f"Set {WEBHOOK} to an incoming webhook of your chat.")
        origin = context.code_location_origin
        location = origin.location_name if origin else None
        kept: State = json.loads(context.cursor or "{}")
        state: State = {name: kept.get(name, {}) for name in ("cursors", "failures")}
        lines = [
            line
            for run, ended in _find_ended_runs(context.instance, state["cursors"])
            if is_in_location(run, location)
            for outcome in find_outcomes(context.instance, run, ended)
            for line in _find_alerts(outcome, state["failures"])
        ]
        if lines:
            more = [f"And {len(lines) - MAX_LINES:,} more."] if len(lines) > MAX_LINES else []
            _send("\n".join([*lines[:MAX_LINES], *more]))
        reason = f"Sent {counted(len(lines), 'alert')}." if lines else "Nothing new."
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))

    return send_alerts


def _find_ended_runs(
    instance: dg.DagsterInstance, cursors: State
) -> Iterator[tuple[dg.DagsterRun, float]]:
    """Yield the runs that ended since the last tick, and when, oldest first."""
    ended: list[dg.EventLogRecord] = []
    for kind in (DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE):
        cursor = cursors.get(kind.value)
        # What ended before the first look is no news.
        limit = MAX_RUNS if cursor else 1
        found = instance.fetch_run_status_changes(
            kind, limit=limit, cursor=cursor, ascending=bool(cursor)
        )
        cursors[kind.value] = found.cursor
        ended += found.records if cursor else ()
    for record in sorted(ended, key=lambda record: record.timestamp):
        if run := instance.get_run_by_id(record.run_id):
            yield run, record.timestamp


def _find_alerts(outcome: Outcome, failures: State) -> Iterator[str]:
    """Yield an alert for what begins to fail or works again, and keep what fails."""
    what, failure, run_id, time = outcome
    known = failures.get(what)
    if failure is None:
        if known and time >= known["since"]:
            del failures[what]
            times = "once" if known["times"] == 1 else f"{known['times']} times"
            yield (
                f"{what} recovered at {format_time(time)}, after it had failed {times} since "
                f"{format_time(known['since'])}. {_run_url(run_id)}"
            )
    elif known:
        known["times"] += 1
    else:
        failures[what] = {"since": time, "times": 1}
        yield f"{what} has been failing since {format_time(time)}: {failure} {_run_url(run_id)}"


def _find_job_outcomes(
    instance: dg.DagsterInstance, run: dg.DagsterRun, ended: float
) -> Iterator[Outcome]:
    """Yield whether the job of a run works; nothing if it failed by a check, which is told."""
    job, account = run.job_name, account_of_run(run)
    if job.startswith("__"):  # started by hand: named after its assets
        job = "run of " + ", ".join(sorted(k.to_user_string() for k in run.asset_selection or ()))
    what = f"The job {job} for the account {account}" if account else f"The job {job}"
    if run.status == DagsterRunStatus.SUCCESS:
        yield Outcome(what, None, run.run_id, ended)
        return
    cause = _find_cause(instance, run.run_id)
    if cause is None and account:
        failed = filter(_is_error, _find_checks(instance, run))
        cause = _shorten("; ".join(f"{one.check_name}: {one.description}" for one in failed))
    if cause:
        yield Outcome(what, cause, run.run_id, ended)


def _find_check_outcomes(
    instance: dg.DagsterInstance, run: dg.DagsterRun, ended: float
) -> Iterator[Outcome]:
    """Yield whether each check of a run passed; the run of an account has an alert of its own."""
    for check in () if account_of_run(run) else _find_checks(instance, run):
        what = f"The check {check.check_name} of {check.asset_key.to_user_string()}"
        failure = (check.description or "no reason given") if _is_error(check) else None
        yield Outcome(what, failure, run.run_id, ended)


def _find_checks(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> Iterator[dg.AssetCheckEvaluation]:
    for log in instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION):
        if log.dagster_event:
            yield log.dagster_event.asset_check_evaluation_data


def _is_error(check: dg.AssetCheckEvaluation) -> bool:
    return not check.passed and check.severity == dg.AssetCheckSeverity.ERROR


def _find_cause(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """Return a run's error in one line; None if a check failed, which has its own alert."""
    for log in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        event = log.dagster_event
        error = event.step_failure_data.error if event else None
        if error and is_check_failure(error):
            return None
        if error:
            while error.cause:
                error = error.cause
            line = error.message.strip().partition("\n")[0].removeprefix(FAILURE_PREFIX)
            return _shorten(QUERY.sub("?...", line))
    for log in instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE):
        if log.dagster_event and log.dagster_event.message:
            return _shorten(log.dagster_event.message.partition("\n")[0])
    return "no reason given"


def _shorten(text: str) -> str:
    """Return a text, shortened and without the secrets in the environment."""
    text = SecretRedactor(find_secrets(os.environ)).redact_text(text)
    return shorten(text, MAX_ALERT_LENGTH)


def _run_url(run_id: str) -> str:
    base = os.environ.get(DAGSTER_URL) or "http://127.0.0.1:3000"
    return f"{base.rstrip('/')}/runs/{run_id}"


def _send(text: str) -> None:
    """Post a message in the format of Slack and Mattermost, where `<!here>` would notify all.

    Raises:
        UserError: if it was not delivered.
    """
    import requests
    import urllib3  # slow, and needed by few

    message = {"text": html.escape(text, quote=False)}
    try:
        response = requests.post(os.environ[WEBHOOK], json=message, timeout=TIMEOUT)
        problem = None if response.ok else f"the webhook answered {response.status_code}"
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, TypeError):
        # TypeError: by a proxy with a user and without a host
        problem = "the webhook cannot be reached"
    if problem:  # after the except block: the original holds the address
        raise UserError(f"An alert could not be delivered to {WEBHOOK}: {problem}.")
