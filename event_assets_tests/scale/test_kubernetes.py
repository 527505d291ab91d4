"""The Helm values of `deploy/kubernetes`, as far as that goes without a cluster or the chart."""

import re
from importlib.metadata import version
from typing import Any

import dagster as dg
import yaml
from dagster._config import validate_config
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from event_assets_tests.support.project import ROOT

VALUES = ROOT / "deploy" / "kubernetes" / "values.yaml"


def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(VALUES.read_text())
    return loaded


def snake(value: Any) -> Any:
    """Spell names as Dagster's configuration does, where the chart spells them in camel case."""
    if isinstance(value, dict):
        return {re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", n): v for n, v in value.items()}
    return value


def test_the_run_launcher_takes_what_the_values_say() -> None:
    given = snake(values()["runLauncher"]["config"]["k8sRunLauncher"])
    given["env_secrets"] = [entry["name"] for entry in given["env_secrets"]]
    given["run_k8s_config"] = snake(given["run_k8s_config"])
    given |= {"service_account_name": "dagster", "instance_config_map": "instance"}
    done = validate_config(dg.Field(K8sRunLauncher.config_type()).config_type, given)
    assert done.success, done.errors


def test_kubernetes_knows_what_a_run_asks_of_it() -> None:
    given = snake(values()["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"])
    config = UserDefinedDagsterK8sConfig.from_dict(given)
    assert config.container_config["resources"]["limits"] == {"memory": "1Gi"}
    assert config.job_spec_config == {"ttl_seconds_after_finished": 3600}


def test_every_image_is_the_projects_own_and_of_one_version() -> None:
    given = values()
    images = [
        given["dagsterWebserver"]["image"],
        given["dagsterDaemon"]["image"],
        *(each["image"] for each in given["dagster-user-deployments"]["deployments"]),
    ]
    assert {str(image["tag"]) for image in images} == {version("event_assets")}
