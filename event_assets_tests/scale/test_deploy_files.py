"""What the files of `deploy/` say to each other."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from event_assets_tests.support.project import ROOT

DEPLOY = ROOT / "deploy"
CELERY = DEPLOY / "celery"
PROCESSES = {"code", "webserver", "daemon", "worker"}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CELERY / "compose.yaml").read_text())
    return loaded


def test_the_procfile_names_every_process() -> None:
    lines = (CELERY / "Procfile").read_text().splitlines()
    assert {line.partition(":")[0] for line in lines} == PROCESSES


def test_each_process_of_compose_is_started_and_checked_as_the_procfile_says() -> None:
    services = compose()["services"]
    ours = {name for name in services if name in PROCESSES}
    assert ours == PROCESSES
    for name in ours:
        assert services[name]["command"] == f"/opt/dagster/start {name}"
        assert services[name]["healthcheck"]["test"] == ["CMD", "/opt/dagster/health", name]


def test_every_image_has_a_version() -> None:
    images = {service["image"] for service in compose()["services"].values()}
    images |= set(re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.M))
    assert all(re.search(r":\d+\.\d+", image) for image in images), images
    assert f"event-assets:{version('event_assets')}" in images


def test_no_password_stands_in_a_file() -> None:
    for file in filter(Path.is_file, DEPLOY.rglob("*")):
        for password in re.findall(r"://\w*:([^@\s]+)@", file.read_text()):
            assert re.fullmatch(r"PASSWORD|\$\{\w+:\?\}", password), (file, password)
