"""An API that means harm, looked at in a browser: what it says is text, and does nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from event_assets.sandbox import KEY, Sandbox
from event_assets_tests.support.dagster_dev import Dagster, copied, dagster_dev, sync_at
from event_assets_tests.support.platforms import events

DONE = "harm done"  # what each would make the page's title
NOWHERE = "http://127.0.0.1:1/"  # what each would fetch
WORDS = f"document.title='{DONE}'"
HARM = {
    "script": f"<script>{WORDS}</script>",
    "image": f'<img src="{NOWHERE}i" onerror="{WORDS}">',
    "drawing": f'<svg onload="{WORDS}"><foreignObject><iframe src="{NOWHERE}f">',
    "link": f'[click](javascript:{WORDS}) <a href="javascript:{WORDS}">click</a>',
    "picture": f'![x]({NOWHERE}p) ![x]({NOWHERE}q" onerror="{WORDS})',
    "Jinja": "{{ 7 * 7 }}{% print(7 * 7) %}${7*7}#{7*7}",
    "end of a string": f"\"'`;alert(1);{WORDS};//</script></style></title>",
}


def harmful(version: int) -> list[dict[str, Any]]:
    """Make events whose names, and names of fields, would do harm; the second version has more."""
    fields = dict.fromkeys(HARM.values(), "value")
    good = [
        {**event, **fields, "name": f"{text} {version}", "status": text}
        for event, text in zip(events(len(HARM)), HARM.values(), strict=True)
    ]
    return good + [{"id": HARM["image"], "name": "", "start_time": HARM["script"]}] * version


@pytest.fixture
def own(tmp_path: Path, api: Sandbox) -> Iterator[Dagster]:
    """One of its own, which syncs when it is told to."""
    folder = copied(tmp_path)
    sync_at(folder, "0 0 1 1 *")
    with dagster_dev(folder, {"EVENTS_API_URL": api.url, "API_KEY": KEY}) as running:
        yield running


def test_what_a_harmful_api_says_is_shown_and_does_nothing(
    own: Dagster, api: Sandbox, page: Page
) -> None:
    harm: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        harm.append(dialog.message)
        dialog.dismiss()

    def note(asked: Request) -> None:
        if asked.url.startswith(NOWHERE):
            harm.append(asked.url)

    page.on("dialog", dismiss)
    page.on("request", note)
    for version in (0, 1):
        api.replace(harmful(version))
        assert own.run("sync_events") == "SUCCESS"
    run = next(run["runId"] for run in own.runs() if run["jobName"] == "sync_events")

    def looked_at(texts: Iterable[str]) -> None:
        for text in texts:
            expect(page.get_by_text(text).first).to_be_visible()
        assert not harm
        assert DONE not in page.title()

    page.goto(f"{own.url}/runs/{run}")
    looked_at(HARM.values())
    page.goto(f"{own.url}/assets/event_changes")
    looked_at(HARM.values())
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.locator("img[src^='data:image/svg+xml']").first).to_be_visible()
    looked_at([])
    page.goto(f"{own.url}/assets/event_data?view=checks")
    page.get_by_text("no_rejects", exact=True).first.click()
    looked_at([HARM["image"], HARM["script"]])
