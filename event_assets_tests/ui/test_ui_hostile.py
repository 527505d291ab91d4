"""Markup and scripts from a hostile API are shown as text in the browser."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from event_assets_tests.support.dagster_dev import Dagster, copied, dagster_dev, sync_at
from event_assets_tests.support.platforms import events
from event_assets_tests.support.sandbox import KEY, Sandbox

ATTACKED_TITLE = "harm done"  # the page title after an attack
NOWHERE = "http://127.0.0.1:1/"  # the URL that an attack would fetch
PAYLOAD = f"document.title='{ATTACKED_TITLE}'"
ATTACKS = {
    "script": f"<script>{PAYLOAD}</script>",
    "image": f'<img src="{NOWHERE}i" onerror="{PAYLOAD}">',
    "drawing": f'<svg onload="{PAYLOAD}"><foreignObject><iframe src="{NOWHERE}f">',
    "link": f'[click](javascript:{PAYLOAD}) <a href="javascript:{PAYLOAD}">click</a>',
    "picture": f'![x]({NOWHERE}p) ![x]({NOWHERE}q" onerror="{PAYLOAD})',
    "Jinja": "{{ 7 * 7 }}{% print(7 * 7) %}${7*7}#{7*7}",
    "end of a string": f"\"'`;alert(1);{PAYLOAD};//</script></style></title>",
}


def build_hostile_events(version: int) -> list[dict[str, Any]]:
    """Build events with attacks in names, field names and status; version 1 adds a record."""
    fields = dict.fromkeys(ATTACKS.values(), "value")
    good = [
        {**event, **fields, "name": f"{text} {version}", "status": text}
        for event, text in zip(events(len(ATTACKS)), ATTACKS.values(), strict=True)
    ]
    return good + [{"id": ATTACKS["image"], "name": "", "start_time": ATTACKS["script"]}] * version


@pytest.fixture
def own_dagster(tmp_path: Path, api: Sandbox) -> Iterator[Dagster]:
    """A separate `dagster dev` that syncs on demand only."""
    folder = copied(tmp_path)
    sync_at(folder, "0 0 1 1 *")
    with dagster_dev(folder, {"EVENTS_API_URL": api.url, "API_KEY": KEY}) as running:
        yield running


def test_attacks_in_events_are_shown_as_text(
    own_dagster: Dagster, api: Sandbox, page: Page
) -> None:
    effects: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        effects.append(dialog.message)
        dialog.dismiss()

    def record_request(request: Request) -> None:
        if request.url.startswith(NOWHERE):
            effects.append(request.url)

    page.on("dialog", dismiss)
    page.on("request", record_request)
    for version in (0, 1):
        api.replace(build_hostile_events(version))
        assert own_dagster.run("sync_events") == "SUCCESS"
    run = next(run["runId"] for run in own_dagster.runs() if run["jobName"] == "sync_events")

    def expect_harmless(texts: Iterable[str]) -> None:
        for text in texts:
            expect(page.get_by_text(text).first).to_be_visible()
        assert not effects
        assert ATTACKED_TITLE not in page.title()

    page.goto(f"{own_dagster.url}/runs/{run}")
    expect_harmless(ATTACKS.values())
    page.goto(f"{own_dagster.url}/assets/event_changes")
    expect_harmless(ATTACKS.values())
    expect(page.get_by_text("changed: name").first).to_be_visible()
    expect_harmless([])
    page.goto(f"{own_dagster.url}/assets/event_data?view=checks")
    page.get_by_text("no_rejects", exact=True).first.click()
    expect_harmless([ATTACKS["image"], ATTACKS["script"]])
