"""A real `dagster dev` on a free port, a sandbox API, and a browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from event_assets_tests.support.dagster_dev import Dagster, copied, dagster_dev, sync_at
from event_assets_tests.support.polling import PATIENCE
from event_assets_tests.support.sandbox import KEY, Sandbox

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def api() -> Iterator[Sandbox]:
    with Sandbox(500) as running:
        yield running


@pytest.fixture(scope="session")
def dagster(api: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    folder = copied(tmp_path_factory.mktemp("project"))
    sync_at(folder, "0 0 1 1 *")  # a tick would be one more run between those of the tests
    with dagster_dev(folder, {"EVENTS_API_URL": api.url, "API_KEY": KEY}) as running:
        yield running


@pytest.fixture(scope="session")
def page(dagster: Dagster) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = browser.new_page(base_url=dagster.url, viewport={"width": 1500, "height": 2400})
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        yield page
        browser.close()
