"""Messages to a chat when something fails, and when it works again."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import dagster as dg
import requests
import urllib3
from dagster import DagsterEventType, DagsterRunStatus, RunRecord, RunsFilter

from event_assets._compat.dagster import (
    CheckRecord,
    ErrorInfo,
    check_history,
    is_check_failure,
    latest_check_records,
)
from event_assets.orchestration.partitions import account_of_run
from event_assets.values.errors import AlertError
from event_assets.values.redaction import SecretRedactor, find_secrets

WEBHOOK = "ALERT_WEBHOOK_URL"
DAGSTER_URL = "EVENTS_DAGSTER_URL"  # where the UI is, as seen by whoever reads the message
TIMEOUT = 10.0  # seconds
INTERVAL = 30  # seconds between two looks
RUNS = 500  # finished runs looked at in one tick, at most
OVERLAP = 600.0  # seconds: runs that are written down late are not missed
MAX_ALERT_LENGTH = 300  # characters of a cause
MOST = 20  # lines of one message
FAILURE_PREFIX = f"{dg.Failure.__module__}.Failure: "
QUERY = re.compile(r"\?[^\s'\"]+")

State = dict[str, Any]
Latest = Mapping[dg.AssetCheckKey, CheckRecord]
AlertSource = Callable[[dg.SensorEvaluationContext, State], Iterator[str]]


def build_sensors() -> list[dg.SensorDefinition]:
    """Build the sensors; they are on when `ALERT_WEBHOOK_URL` is set."""
    on = bool(os.environ.get(WEBHOOK))
    status = dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name="alert_on_failed_runs",
        description=f"Sends a message to {WEBHOOK} when a job fails, and when it works again.",
        minimum_interval_seconds=INTERVAL,
        default_status=status,
    )
    def failed_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return _send_alerts(context, _runs)

    @dg.sensor(
        name="alert_on_failed_checks",
        description=f"Sends a message to {WEBHOOK} when a check fails with ERROR, as `fresh` does "
        "when syncs stop, and when it passes again.",
        minimum_interval_seconds=INTERVAL,
        default_status=status,
    )
    def failed_checks(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return _send_alerts(context, _checks)

    return [failed_runs, failed_checks]


def _send_alerts(
    context: dg.SensorEvaluationContext, look: AlertSource
) -> dg.SensorResult | dg.SkipReason:
    """Send what there is to say, all in one message; what was said is kept in the cursor."""
    if not os.environ.get(WEBHOOK):
        return dg.SkipReason(f"Set {WEBHOOK} to an incoming webhook of your chat.")
    state: State = json.loads(context.cursor or "{}")
    lines = list(look(context, state))
    if lines:
        more = [f"And {len(lines) - MOST:,} more."] if len(lines) > MOST else []
        _send("\n".join([*lines[:MOST], *more]))
    reason = f"Sent {len(lines)} of them." if lines else "Nothing is new."
    return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))


def _runs(context: dg.SensorEvaluationContext, state: State) -> Iterator[str]:
    """Say which jobs fail since the last look, and which of those that failed do not any more."""
    failing: State = state.setdefault("failing", {})
    now = datetime.now(timezone.utc).timestamp()
    since = state.setdefault("since", now)
    first_look = state.setdefault("first_look", now)  # what was before it is no news
    told = state.setdefault("told", {})
    finished = context.instance.get_run_records(
        RunsFilter(
            statuses=[DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE],
            updated_after=datetime.fromtimestamp(since - OVERLAP, timezone.utc),
        ),
        limit=RUNS,
    )
    for record in sorted(finished, key=_ended):
        run, ended = record.dagster_run, _ended(record)
        if run.run_id in told or ended < max(first_look, since - OVERLAP):
            continue
        told[run.run_id] = ended
        yield from _of_run(context.instance, run, ended, failing)
    state["since"] = now
    state["told"] = {run_id: at for run_id, at in told.items() if at >= now - 2 * OVERLAP}


def _of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, ended: float, failing: State
) -> Iterator[str]:
    job = run.job_name
    if job.startswith("__"):  # by hand: known by what it made
        job = "run of " + ", ".join(sorted(k.to_user_string() for k in run.asset_selection or ()))
    if account := account_of_run(run):
        job = f"{job} for the account {account}"
    if run.status == DagsterRunStatus.SUCCESS:
        if job in failing and ended >= failing[job]["since"]:
            yield _recovered(f"The job {job}", failing.pop(job), ended, run.run_id)
    elif job in failing:
        failing[job]["times"] += 1
    elif cause := _cause(instance, run.run_id) or (_checks_in(instance, run) if account else None):
        failing[job] = {"since": ended, "times": 1}
        yield _failed(f"The job {job}", ended, cause, run.run_id)


def _checks_in(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Say which checks failed in the run of an account, whose results the next account's follow."""
    logs = instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [log.dagster_event.asset_check_evaluation_data for log in logs if log.dagster_event]
    errors = [c for c in found if not c.passed and c.severity == dg.AssetCheckSeverity.ERROR]
    return _shorten("; ".join(f"{check.check_name}: {check.description}" for check in errors))


def _checks(context: dg.SensorEvaluationContext, state: State) -> Iterator[str]:
    """Say which checks fail with ERROR now and did not before, and the other way round."""
    known = context.repository_def
    keys = list(known.asset_checks_defs_by_key) if known else []
    latest = latest_check_records(context.instance, keys)
    if known:
        latest = _of_all_accounts(context.instance, known, latest)
    for key, record in sorted(latest.items(), key=lambda item: item[0].to_user_string()):
        name = key.to_user_string()
        about = f"The check {key.name} of {key.asset_key.to_user_string()}"
        if _is_error(record):
            evaluation = record.evaluation
            if name in state:
                state[name]["times"] += state[name]["run"] != record.run_id
                state[name]["run"] = record.run_id
            else:
                since = record.create_timestamp
                state[name] = {"since": since, "times": 1, "run": record.run_id}
                cause = (evaluation and evaluation.description) or "it gives no reason"
                yield _failed(about, since, cause, record.run_id)
        elif name in state and record.evaluation:
            yield _recovered(about, state.pop(name), record.create_timestamp, record.run_id)


def _of_all_accounts(
    instance: dg.DagsterInstance, definitions: dg.RepositoryDefinition, latest: Latest
) -> dict[dg.AssetCheckKey, CheckRecord]:
    """Leave out results that are of one account: these are told with its run."""
    found = dict(latest)
    for key in latest:
        if definitions.assets_defs_by_key[key.asset_key].partitions_def is None:
            continue
        history = check_history(instance, key, RUNS)
        runs = instance.get_runs(RunsFilter(run_ids=[record.run_id for record in history]))
        whole = {run.run_id for run in runs if account_of_run(run) is None}
        newest = next((record for record in history if record.run_id in whole), None)
        found = {**found, key: newest} if newest else {k: r for k, r in found.items() if k != key}
    return found


def _is_error(record: CheckRecord) -> bool:
    evaluation = record.evaluation
    return (
        evaluation is not None
        and not evaluation.passed
        and evaluation.severity == dg.AssetCheckSeverity.ERROR
    )


def _ended(record: RunRecord) -> float:
    return record.end_time or record.update_timestamp.timestamp()


def _cause(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """Give a run's error in one line; None when a check failed, which speaks for itself."""
    for log in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        event = log.dagster_event
        error = event.step_failure_data.error if event else None
        if error and is_check_failure(error):
            return None
        if error:
            return _summarize_error(error)
    for log in instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE):
        if log.dagster_event and log.dagster_event.message:
            return _shorten(log.dagster_event.message.partition("\n")[0])
    return "the run gives no reason"


def _summarize_error(error: ErrorInfo) -> str:
    """Give the first line of what was at the bottom of an error, without what may be secret."""
    while error.cause:
        error = error.cause
    line = error.message.strip().partition("\n")[0]
    return _shorten(QUERY.sub("?...", line.removeprefix(FAILURE_PREFIX)))


def _shorten(text: str) -> str:
    """Return a text without the secrets in the environment, as short as an alert must be."""
    text = SecretRedactor(find_secrets(os.environ)).redact_text(text)
    return text if len(text) <= MAX_ALERT_LENGTH else f"{text[:MAX_ALERT_LENGTH]} ..."


def _failed(what: str, since: float, cause: str, run_id: str) -> str:
    return f"{what} fails since {_time(since)}: {cause} {_link(run_id)}"


def _recovered(what: str, failure: State, now: float, run_id: str) -> str:
    times = "once" if failure["times"] == 1 else f"{failure['times']} times"
    return (
        f"{what} works again since {_time(now)}: it had failed {times} since "
        f"{_time(failure['since'])}. {_link(run_id)}"
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _link(run_id: str) -> str:
    base = os.environ.get(DAGSTER_URL) or "http://127.0.0.1:3000"
    return f"{base.rstrip('/')}/runs/{run_id}"


def _send(text: str) -> None:
    """Deliver a message as Slack and Mattermost take it.

    Raises:
        AlertError: when it did not arrive.
    """
    try:
        answer = requests.post(os.environ[WEBHOOK], json={"text": text}, timeout=TIMEOUT)
        problem = None if answer.ok else f"it answered {answer.status_code}"
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
        problem = "it cannot be reached"
    if problem:  # after the except block: the original holds the address
        raise AlertError(f"A message could not be delivered to {WEBHOOK}: {problem}.")
