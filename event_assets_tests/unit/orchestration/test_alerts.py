"""Messages to a chat: one when something fails, one when it works again."""

import json
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin
from starlette.requests import Request
from starlette.responses import Response

from event_assets.definitions import defs
from event_assets_tests.support.accounts import PATH, serving_accounts, sync, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import definitions, events, run, source
from event_assets_tests.support.project import Project
from event_assets_tests.support.resources import VENUES, with_resources
from event_assets_tests.support.sandbox import KEY, Sandbox

pytestmark = pytest.mark.in_process


class Chat(ThreadingHTTPServer):
    """Takes messages as an incoming webhook does."""

    def __init__(self) -> None:
        chat = self
        self.messages: list[str] = []
        self.status = 200

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if chat.status == 200:
                    chat.messages.append(json.loads(body)["text"])
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        super().__init__(("127.0.0.1", 0), Hook)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/secret"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with Chat() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("ALERT_WEBHOOK_URL", server.url)
        yield server
        server.shutdown()
        thread.join()


Tick = Callable[[], None]


@pytest.fixture
def look(project: Project, chat: Chat) -> Callable[[], Tick]:
    """Makes a function that lets the sensor look again and again, as the daemon does."""
    definitions = defs()

    def begin() -> Tick:
        cursor: str | None = None

        def tick() -> None:
            nonlocal cursor
            context = dg.build_sensor_context(
                instance=project.instance,
                cursor=cursor,
                repository_def=definitions.get_repository_def(),
            )
            found = definitions.resolve_sensor_def("alert_on_failed_runs")(context)
            assert isinstance(found, dg.SensorResult)
            cursor = found.cursor

        tick()
        return tick

    assert chat.messages == []
    return begin


def test_failing_runs_make_one_message_and_recovery_one_more(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    for _ in range(3):
        failed = project.sync(url=api.url, key="wrong", derived=False)
        tick()
    (message,) = chat.messages
    assert message.startswith("The step event_data has been failing since 20")
    assert f"The API at {api.url}/v1/events answered 401 Unauthorized" in message
    assert "wrong" not in message
    assert failed.run_id not in message  # it links to the first one
    again = project.sync(url=api.url, derived=False)
    tick()
    tick()
    assert len(chat.messages) == 2
    assert "recovered" in chat.messages[1]
    assert "it had failed 3 times since" in chat.messages[1]
    assert chat.messages[1].endswith(f"http://127.0.0.1:3000/runs/{again.run_id}")


def test_one_fault_has_one_alert_and_one_recovery_whichever_job_meets_it(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    project.sync(url=api.url, derived=False)
    tick = look()
    by_hand = defs().resolve_implicit_global_asset_job_def()
    is_fresh = defs().resolve_job_def("check_events_are_fresh")
    for is_full in (True, False, True):
        project.sync(url=api.url, key="wrong", derived=False, full_sync=is_full)
        tick()
    by_hand.execute_in_process(
        instance=project.instance, asset_selection=[dg.AssetKey("event_data")], raise_on_error=False
    )
    then = datetime.now(UTC) - timedelta(minutes=90)
    project.rows(f"update events.event_data_syncs set finished_at = '{then.isoformat()}'")
    assert not is_fresh.execute_in_process(instance=project.instance, raise_on_error=False).success
    tick()
    assert len(chat.messages) == 1
    assert chat.messages[0].startswith("The step event_data in a full sync has been failing since")
    project.sync(url=api.url, derived=False)
    tick()
    assert len(chat.messages) == 2
    assert chat.messages[1].startswith("The step event_data recovered")


def test_a_full_sync_that_fails_alone_recovers_with_a_full_one_only(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    for key, is_full in (("wrong", True), (KEY, False), (KEY, True)):
        project.sync(url=api.url, key=key, derived=False, full_sync=is_full)
        tick()
        assert len(chat.messages) == 1 + (key == KEY and is_full)
    assert chat.messages[1].startswith("The step event_data in a full sync recovered")


def test_a_full_sync_is_known_by_its_job(
    project: Project, chat: Chat, look: Callable[[], Tick]
) -> None:
    tick = look()
    works = False

    def answer(_: Request) -> Any:
        return {"data": events(2)} if works else Response(status_code=404)

    changes = {"cursor_path": "start_time", "start_param": "since"}
    with serving(answer) as api:
        endpoint = {"paginator": {"type": "single_page"}, "incremental": changes}
        loaded = definitions({"events": source(api.url, endpoint=endpoint)})
        for job in ("sync_events_fully", "sync_events", "sync_events_fully"):
            run(project, loaded, job)
            tick()
            works = True
    assert len(chat.messages) == 2
    for message, said in zip(chat.messages, ("has been failing", "recovered"), strict=True):
        assert message.startswith(f"The step event_data in a full sync {said}")
    assert chat.messages[1].endswith(project.instance.get_runs(limit=1)[0].run_id)


def test_lists_of_one_source_that_fail_with_its_events_are_not_told_beside_them(
    project: Project, chat: Chat, look: Callable[[], Tick]
) -> None:
    tick = look()
    works = {"/v1/events": False, "/v1/venues": False}

    def answer(request: Request) -> Any:
        return {"data": events(2)} if works[request.url.path] else Response(status_code=404)

    with serving(answer) as api:
        single = {"paginator": {"type": "single_page"}}
        loaded = definitions({"events": with_resources(api.url, VENUES, endpoint=single)})
        for path in (None, "/v1/events", "/v1/venues"):
            works |= {path: True} if path else {}
            run(project, loaded)
            tick()
            tick()
    said = re.findall(
        r"^The step \w+ (?:recovered|has been failing)", "\n".join(chat.messages), re.M
    )
    assert said == [
        "The step event_data has been failing",
        "The step event_data recovered",
        "The step venues has been failing",
        "The step venues recovered",
    ]


def test_a_run_that_was_killed_failed_in_its_steps_and_recovers_with_them(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    killed = project.instance.create_run_for_job(defs().resolve_job_def("sync_events"))
    project.instance.report_run_failed(killed)  # as the code server does
    tick()
    project.sync(url=api.url, derived=False)
    tick()
    assert len(chat.messages) == 2
    assert chat.messages[0].startswith("The step event_data has been failing since")
    assert "UTC: Its process is gone: it was killed" in chat.messages[0]
    assert chat.messages[1].startswith("The step event_data recovered")


def test_a_run_that_is_started_once_more_is_told_if_that_fails_too(
    project: Project, chat: Chat, look: Callable[[], Tick]
) -> None:
    tick = look()
    job = defs().resolve_job_def("sync_events")
    for retried, count in (("true", 0), ("false", 1)):
        killed = project.instance.create_run_for_job(job, tags={"dagster/will_retry": retried})
        project.instance.report_run_failed(killed)
        tick()
        assert len(chat.messages) == count


def test_an_account_that_fails_is_told_by_itself(
    project: Project, chat: Chat, look: Callable[[], Tick]
) -> None:
    tick = look()
    lists = {"berlin": events(2)}
    with serving_accounts(lists) as api:
        loaded = definitions({"events": with_accounts(api.url, ["berlin", "paris"])})
        for _ in range(2):
            sync(project, loaded, "paris", "berlin")
            tick()
        (message,) = chat.messages
        assert message.startswith(
            "The step event_data for the account paris has been failing since 20"
        )
        lists["paris"] = events(1)
        sync(project, loaded, "paris")
        tick()
    assert len(chat.messages) == 2
    assert chat.messages[1].startswith("The step event_data for the account paris recovered")
    assert "it had failed 2 times since" in chat.messages[1]


def test_an_account_that_fails_by_a_check_is_told_with_the_check(
    project: Project, chat: Chat, look: Callable[[], Tick]
) -> None:
    tick = look()
    with serving({PATH: lambda _: {"data": events(2), "total": 9}}) as api:
        loaded = definitions({"events": with_accounts(api.url, ["paris"])})
        sync(project, loaded, "paris")
        tick()
    (message,) = chat.messages
    assert "The step event_data_checks for the account paris has been failing" in message
    assert ": complete: " in message


def test_a_run_of_another_code_location_is_told_there(
    project: Project, chat: Chat, api: Sandbox
) -> None:
    sensor = defs().resolve_sensor_def("alert_on_failed_runs")
    cursors: dict[str, str | None] = {"ours": None, "theirs": None}

    def tick(location: str) -> None:
        context = dg.SensorEvaluationContext(
            instance_ref=None,
            last_tick_completion_time=None,
            last_run_key=None,
            cursor=cursors[location],
            log_key=None,
            repository_name="__repository__",
            instance=project.instance,
            code_location_origin=RegisteredCodeLocationOrigin(location),
        )
        found = sensor(context)
        assert isinstance(found, dg.SensorResult)
        cursors[location] = found.cursor

    for location in cursors:
        tick(location)
    failed = project.sync(url=api.url, key="wrong", derived=False)
    project.instance.add_run_tags(failed.run_id, {"dagster/code_location": "theirs"})
    tick("ours")
    assert chat.messages == []
    tick("theirs")
    assert len(chat.messages) == 1


def test_what_failed_before_the_first_look_is_no_news(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    project.sync(url=api.url, key="wrong", derived=False)
    tick = look()
    project.sync(url=api.url, derived=False)
    tick()
    tick()
    assert chat.messages == []


def test_a_tag_on_a_run_that_has_ended_is_no_news(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    good = project.sync(url=api.url, derived=False)
    bad = project.sync(url=api.url, key="wrong", derived=False)
    tick()
    for result in (good, bad):
        project.instance.add_run_tags(result.run_id, {"looked": "at"})
    tick()
    assert len(chat.messages) == 1


def test_another_asset_made_by_hand_is_no_recovery(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    by_hand = defs().resolve_implicit_global_asset_job_def()
    project.sync(url=api.url, derived=False)
    project.connect_to(api.url, key="wrong")
    for asset in ("event_data", "current_events"):
        by_hand.execute_in_process(
            instance=project.instance, asset_selection=[dg.AssetKey(asset)], raise_on_error=False
        )
        tick()
    (message,) = chat.messages
    assert message.startswith("The step event_data has been failing since")


def test_the_cause_of_an_unexpected_error_is_the_error_without_a_key_or_mention(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    def broken(*_: Any) -> str:
        raise RuntimeError(
            f"<!here> is full, at http://x/y?api_key={KEY} with {KEY} of-the-concerts"
        )

    project.environment.setattr("event_assets.sync.sync_log.append", broken)
    project.environment.setenv("CONCERTS__API_KEY", "of-the-concerts")
    tick = look()
    project.sync(url=api.url, derived=False)
    tick()
    said = "RuntimeError: &lt;!here&gt; is full, at http://x/y?... with *** *** http"
    assert said in chat.messages[0]


def test_an_error_that_became_a_warning_is_told_again_when_it_is_one_again(
    project: Project, chat: Chat, look: Callable[[], Tick]
) -> None:
    tick = look()
    job = defs().resolve_job_def("check_events_are_fresh")
    with Sandbox(5) as api:
        project.sync(url=api.url, derived=False)
    for minutes in (90, 45, 90):
        then = datetime.now(UTC) - timedelta(minutes=minutes)
        project.rows(f"update events.event_data_syncs set finished_at = '{then.isoformat()}'")
        job.execute_in_process(instance=project.instance, raise_on_error=False)
        tick()
    assert [("recovered" in message) for message in chat.messages] == [False, True, False]


def test_a_sync_that_stopped_is_told_by_its_age_and_when_it_is_fresh_again(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    project.sync(url=api.url, derived=False)
    tick = look()
    then = datetime.now(UTC) - timedelta(minutes=90)
    project.rows(f"update events.event_data_syncs set finished_at = '{then.isoformat()}'")
    overdue = defs().resolve_job_def("check_events_are_fresh")
    for _ in range(2):
        result = overdue.execute_in_process(instance=project.instance, raise_on_error=False)
        assert not result.success
        tick()
    (message,) = chat.messages
    assert message.startswith("The check fresh of event_data has been failing since 20")
    assert "The newest sync is 90 minutes old: check for failed runs" in message
    project.sync(url=api.url, derived=False)
    tick()
    assert len(chat.messages) == 2
    assert "The check fresh of event_data recovered" in chat.messages[1]


def test_a_message_that_did_not_arrive_is_sent_again_and_the_address_stays_secret(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    project.sync(url=api.url, key="wrong", derived=False)
    chat.status = 503
    with pytest.raises(Exception, match="could not be delivered") as failed:
        tick()
    assert "the webhook answered 503" in str(failed.value)
    assert "hooks" not in "".join(traceback.format_exception(failed.value))
    chat.status = 200
    tick()
    assert len(chat.messages) == 1


def test_a_proxy_without_a_host_is_told_without_its_password(
    project: Project, look: Callable[[], Tick], api: Sandbox
) -> None:
    tick = look()
    project.sync(url=api.url, key="wrong", derived=False)
    project.environment.setenv("ALERT_WEBHOOK_URL", "https://chat.invalid/hooks/secret")
    project.environment.setenv("HTTPS_PROXY", "http://user:password@")
    with pytest.raises(Exception, match="the webhook cannot be reached") as failed:
        tick()
    assert "password@" not in "".join(traceback.format_exception(failed.value))


def test_the_links_lead_to_where_the_ui_is(
    project: Project, chat: Chat, look: Callable[[], Tick], api: Sandbox
) -> None:
    project.environment.setenv("EVENTS_DAGSTER_URL", "https://dagster.example.com/")
    tick = look()
    failed = project.sync(url=api.url, key="wrong", derived=False)
    tick()
    assert chat.messages[0].endswith(f"https://dagster.example.com/runs/{failed.run_id}")


@pytest.mark.parametrize(
    ("url", "status"),
    [(None, dg.DefaultSensorStatus.STOPPED), ("http://x", dg.DefaultSensorStatus.RUNNING)],
)
def test_the_sensor_is_on_when_there_is_a_chat(
    project: Project, url: str | None, status: dg.DefaultSensorStatus
) -> None:
    if url:
        project.environment.setenv("ALERT_WEBHOOK_URL", url)
    assert defs().resolve_sensor_def("alert_on_failed_runs").default_status == status


def test_a_sensor_that_is_turned_on_without_a_chat_says_what_to_set(project: Project) -> None:
    found = defs().resolve_sensor_def("alert_on_failed_runs")(
        dg.build_sensor_context(instance=project.instance)
    )
    assert isinstance(found, dg.SkipReason)
    assert "Set ALERT_WEBHOOK_URL" in str(found.skip_message)
