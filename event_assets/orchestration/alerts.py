"""Alerts to a chat when a job or a check fails, and when it works again."""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from event_assets._compat import dagster as dagster_compat
from event_assets.orchestration.metadata import format_time
from event_assets.orchestration.partitions import account_of_run
from event_assets.values.errors import AlertError
from event_assets.values.redaction import SecretRedactor, find_secrets
from event_assets.values.wording import counted

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
AlertSource = Callable[[dg.SensorEvaluationContext, State], Iterator[str]]


def build_sensors() -> list[dg.SensorDefinition]:
    """Build the sensors of the alerts, which run if `ALERT_WEBHOOK_URL` is set."""
    return [
        _build_sensor(
            "alert_on_failed_runs", "a job fails, and when it works again", _find_run_alerts
        ),
        _build_sensor(
            "alert_on_failed_checks",
            "a check fails with ERROR, as `fresh` does when syncs stop, and when it passes again",
            _find_check_alerts,
        ),
    ]


def _build_sensor(name: str, event: str, find_alerts: AlertSource) -> dg.SensorDefinition:
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
        state: State = json.loads(context.cursor or "{}")
        lines = list(find_alerts(context, state))
        if lines:
            more = [f"And {len(lines) - MAX_LINES:,} more."] if len(lines) > MAX_LINES else []
            _send("\n".join([*lines[:MAX_LINES], *more]))
        reason = f"Sent {counted(len(lines), 'alert')}." if lines else "Nothing new."
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))

    return send_alerts


def _find_run_alerts(context: dg.SensorEvaluationContext, state: State) -> Iterator[str]:
    """Yield an alert for each job that began to fail or works again since the last tick."""
    failing: State = state.setdefault("failing", {})
    cursors: State = state.setdefault("cursors", {})
    ended: list[dg.EventLogRecord] = []
    for kind in (DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE):
        cursor = cursors.get(kind.value)
        # What ended before the first look is no news.
        limit = MAX_RUNS if cursor else 1
        found = context.instance.fetch_run_status_changes(
            kind, limit=limit, cursor=cursor, ascending=bool(cursor)
        )
        cursors[kind.value] = found.cursor
        ended += found.records if cursor else ()
    for record in sorted(ended, key=lambda record: record.timestamp):
        if run := context.instance.get_run_by_id(record.run_id):
            yield from _find_alerts_of_run(context.instance, run, record.timestamp, failing)


def _find_alerts_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, ended: float, failing: State
) -> Iterator[str]:
    job = run.job_name
    if job.startswith("__"):  # started by hand: named after its assets
        job = "run of " + ", ".join(sorted(k.to_user_string() for k in run.asset_selection or ()))
    if account := account_of_run(run):
        job = f"{job} for the account {account}"
    if run.status == DagsterRunStatus.SUCCESS:
        if job in failing and ended >= failing[job]["since"]:
            yield _format_recovery(f"The job {job}", failing.pop(job), ended, run.run_id)
    elif job in failing:
        failing[job]["times"] += 1
    elif cause := _find_cause(instance, run.run_id) or (
        _describe_failed_checks(instance, run) if account else None
    ):
        failing[job] = {"since": ended, "times": 1}
        yield _format_failure(f"The job {job}", ended, cause, run.run_id)


def _describe_failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Describe the failed checks of an account's run, whose results other accounts replace."""
    logs = instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [log.dagster_event.asset_check_evaluation_data for log in logs if log.dagster_event]
    errors = [f"{check.check_name}: {check.description}" for check in found if _is_error(check)]
    return _shorten("; ".join(errors))


def _find_check_alerts(context: dg.SensorEvaluationContext, state: State) -> Iterator[str]:
    """Yield an alert for each check that began to fail with ERROR or passes again."""
    if context.repository_def is None:
        return
    latest = _latest_results(context.instance, context.repository_def)
    for key, record in sorted(latest.items(), key=lambda item: item[0].to_user_string()):
        name, evaluation = key.to_user_string(), record.evaluation
        about = f"The check {key.name} of {key.asset_key.to_user_string()}"
        if evaluation and _is_error(evaluation):
            if name in state:
                state[name]["times"] += state[name]["run"] != record.run_id
                state[name]["run"] = record.run_id
            else:
                since = record.create_timestamp
                state[name] = {"since": since, "times": 1, "run": record.run_id}
                cause = evaluation.description or "no reason given"
                yield _format_failure(about, since, cause, record.run_id)
        elif name in state and evaluation:
            yield _format_recovery(about, state.pop(name), record.create_timestamp, record.run_id)


def _latest_results(
    instance: dg.DagsterInstance, definitions: dg.RepositoryDefinition
) -> dict[dg.AssetCheckKey, dagster_compat.CheckRecord]:
    """Return each check's newest result of all accounts: an account's run has its own alert."""
    keys = list(definitions.asset_checks_defs_by_key)
    latest = dict(dagster_compat.latest_check_records(instance, keys))
    for key in list(latest):
        if definitions.assets_defs_by_key[key.asset_key].partitions_def is None:
            continue
        history = dagster_compat.check_history(instance, key, MAX_RUNS)
        runs = instance.get_runs(RunsFilter(run_ids=[record.run_id for record in history]))
        whole = {run.run_id for run in runs if account_of_run(run) is None}
        newest = next((record for record in history if record.run_id in whole), None)
        if newest:
            latest[key] = newest
        else:
            del latest[key]
    return latest


def _is_error(evaluation: dg.AssetCheckEvaluation) -> bool:
    return not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR


def _find_cause(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """Return a run's error in one line; None if a check failed, which has its own alert."""
    for log in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        event = log.dagster_event
        error = event.step_failure_data.error if event else None
        if error and dagster_compat.is_check_failure(error):
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
    return text if len(text) <= MAX_ALERT_LENGTH else f"{text[:MAX_ALERT_LENGTH]} ..."


def _format_failure(what: str, since: float, cause: str, run_id: str) -> str:
    return f"{what} has been failing since {format_time(since)}: {cause} {_run_url(run_id)}"


def _format_recovery(what: str, failure: State, now: float, run_id: str) -> str:
    times = "once" if failure["times"] == 1 else f"{failure['times']} times"
    return (
        f"{what} recovered at {format_time(now)}, after it had failed {times} since "
        f"{format_time(failure['since'])}. {_run_url(run_id)}"
    )


def _run_url(run_id: str) -> str:
    base = os.environ.get(DAGSTER_URL) or "http://127.0.0.1:3000"
    return f"{base.rstrip('/')}/runs/{run_id}"


def _send(text: str) -> None:
    """Post a message in the format of Slack and Mattermost.

    Raises:
        AlertError: if it was not delivered.
    """
    import requests
    import urllib3  # slow, and needed by few

    try:
        response = requests.post(os.environ[WEBHOOK], json={"text": text}, timeout=TIMEOUT)
        problem = None if response.ok else f"the webhook answered {response.status_code}"
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
        problem = "the webhook cannot be reached"
    if problem:  # after the except block: the original holds the address
        raise AlertError(f"An alert could not be delivered to {WEBHOOK}: {problem}.")
