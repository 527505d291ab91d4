"""Alerts to a chat when a step or a check fails, and when it works again."""

import hashlib
import html
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import dagster as dg
from dagster import DagsterEventType

from event_assets._compat.dagster import ErrorInfo, is_check_failure
from event_assets.config.project import get_nested
from event_assets.config.source_files import EVENT_DATA
from event_assets.orchestration.code_locations import is_in_location
from event_assets.orchestration.jobs import FULLY
from event_assets.orchestration.launcher import GONE
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
IN_FULL = " in a full sync"  # which may fail where a sync of changes does not
TOLD = {
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.RUN_SUCCESS,
    DagsterEventType.RUN_FAILURE,
}
RETRIED = "dagster/will_retry"  # the tag of a run in whose place Dagster starts another one
KILLED = "This run has been marked as failed from outside the execution context."
QUERY = re.compile(r"\?[^\s'\"]+")

State = dict[str, Any]


class Outcome(NamedTuple):
    """What a run says about a step or a check."""

    what: str
    failure: str | None  # the cause; None if it works
    covered_by: Collection[str] = ()  # what explains the failure while it fails, too
    full: str = ""  # the same step of a full sync, which may have met the same fault before


def build_sensors() -> list[dg.SensorDefinition]:
    """Build the sensor of the alerts, which runs if `ALERT_WEBHOOK_URL` is set."""
    on = bool(os.environ.get(WEBHOOK))

    @dg.sensor(
        name="alert_on_failed_runs",
        description=f"Sends a message to {WEBHOOK} when a step of a run fails, or a check with "
        "ERROR, as `fresh` does when syncs stop, and when it works again.",
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
            for outcome in _find_outcomes(context.instance, run)
            if outcome.failure is None or run.tags.get(RETRIED) != "true"
            for line in _find_alerts(outcome, run.run_id, ended, state["failures"])
        ]
        if lines:
            more = [f"And {len(lines) - MAX_LINES:,} more."] if len(lines) > MAX_LINES else []
            _send("\n".join([*lines[:MAX_LINES], *more]))
        reason = f"Sent {counted(len(lines), 'alert')}." if lines else "Nothing new."
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))

    return [send_alerts]


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


def _find_alerts(outcome: Outcome, run_id: str, time: float, failures: State) -> Iterator[str]:
    """Yield an alert for what begins to fail or works again, and keep what fails."""
    what, failure, covered_by, full = outcome
    cause = failure and hashlib.sha256(failure.encode()).hexdigest()  # it may name a person
    if cause and what not in failures and failures.get(full, {}).get("cause") == cause:
        failures[what] = failures.pop(full)  # it is over with the next sync of any kind
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
    elif not any(one in failures for one in covered_by):
        failures[what] = {"since": time, "times": 1, "cause": cause}
        yield f"{what} has been failing since {format_time(time)}: {failure} {_run_url(run_id)}"


def _find_outcomes(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Outcome]:
    """Yield whether each step and each check of a run works, whichever job has run it.

    One fault has one alert: that of the events, not of the other lists of their source, nor of a
    full sync behind it, nor of its age. An account's checks are told as the step that evaluates
    them.
    """
    logs = instance.all_logs(run.run_id, of_type=TOLD)
    events = [log.dagster_event for log in logs if log.dagster_event]
    account = account_of_run(run)
    where = f" for the account {account}" if account else ""
    checks = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    failed = (f"{one.check_name}: {one.description}" for one in checks if _is_error(one))
    reasons = _shorten("; ".join(failed)) if account else ""
    causes = _find_causes(events)
    for step in sorted(causes, key=_rank):
        own = f"The step {step}{where}"
        of_events = f"The step {'__'.join((*step.split('__')[:-1], EVENT_DATA))}{where}"
        full = f"{own}{IN_FULL}"
        options = get_nested(run.run_config, "ops", step, "config")  # not those of the job itself
        is_full = run.job_name.endswith(FULLY) or get_nested(options, "full_sync")
        if causes[step] is None:
            yield Outcome(own, None)
            if is_full:
                yield Outcome(full, None)
        elif (cause := causes[step] or reasons) and is_full:
            yield Outcome(full, cause, (own, of_events, f"{of_events}{IN_FULL}"))
        elif cause:
            yield Outcome(own, cause, (of_events,), full)
    for check in () if account else checks:
        what = f"The check {check.check_name} of {check.asset_key.to_user_string()}"
        failure = (check.description or "no reason given") if _is_error(check) else None
        is_of_age = check.check_name == "fresh"
        step = f"The step {'__'.join(check.asset_key.path)}"
        yield Outcome(what, failure, (step,) if is_of_age else ())


def _find_causes(events: Sequence[dg.DagsterEvent]) -> dict[str, str | None]:
    """Return, by step, why it failed, in one line; "" if by a check, None if it works.

    A run that ended otherwise failed in the steps that it was in, or was to begin with.
    """
    causes: dict[str, str | None] = {}
    begun: list[str] = []
    planned: list[str] = []
    for event in events:
        step, kind = str(event.step_key), event.event_type
        if kind == DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
            planned.append(step)
        elif kind == DagsterEventType.STEP_START:
            begun.append(step)
        elif kind == DagsterEventType.STEP_SUCCESS:
            causes[step] = None
        elif kind == DagsterEventType.STEP_FAILURE:
            causes[step] = _describe(event.step_failure_data.error)
        elif kind == DagsterEventType.RUN_FAILURE and not {*causes.values()} - {None}:
            message = (event.message or "no reason given").partition("\n")[0]
            reason = GONE if message == KILLED else _shorten(message)
            within = [one for one in begun if one not in causes]
            causes |= dict.fromkeys(
                within or sorted(planned, key=_rank)[:1] or [event.job_name], reason
            )
        elif kind == DagsterEventType.RUN_SUCCESS:
            causes[event.job_name] = None
    return causes


def _rank(step: str) -> tuple[bool, str]:
    """Order steps: those of events first, as their failure covers others."""
    return not step.endswith(EVENT_DATA), step


def _describe(error: ErrorInfo | None) -> str:
    """Return an error in one line; "" if it is that of a check, which has its own alert."""
    if error is None or is_check_failure(error):
        return "" if error else "no reason given"
    while error.cause:
        error = error.cause
    line = error.message.strip().partition("\n")[0].removeprefix(FAILURE_PREFIX)
    return _shorten(QUERY.sub("?...", line))


def _is_error(check: dg.AssetCheckEvaluation) -> bool:
    return not check.passed and check.severity == dg.AssetCheckSeverity.ERROR


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
