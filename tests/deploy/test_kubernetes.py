"""The Kubernetes manifests: by the schemas of Kubernetes, as kustomize renders them, and against the program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from orchestrator.config.file import parse_config
from orchestrator.config.warnings import warnings

KUBERNETES = Path(__file__).parents[2] / "deploy/kubernetes"
EXAMPLES = {"example": KUBERNETES / "example-site", "example-portfolio": KUBERNETES / "example-portfolio"}
"""By the label of the site."""
NO_RESOURCES = ("kustomization.yaml", "devices.yaml", "size.yaml", "site.yaml")
MANIFESTS = sorted(path for path in KUBERNETES.rglob("*.yaml") if path.name not in NO_RESOURCES)
VERSION = "1.32"
FLEET = (KUBERNETES.parents[1] / "docs/fleet.md").read_text()


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def base(kind: str) -> dict[str, Any]:
    return next(each for path in MANIFESTS for each in documents(path.read_text()) if each["kind"] == kind)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_manifest_is_what_kubernetes_expects(path: Path) -> None:
    for document in documents(path.read_text()):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_every_file_is_part_of_the_base() -> None:
    kustomization = yaml.safe_load((KUBERNETES / "base/kustomization.yaml").read_text())

    assert {path.name for path in MANIFESTS} == set(kustomization["resources"])


def rendered_example(label: str) -> list[dict[str, Any]]:
    """What is applied, as kustomize renders it."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed, and is not among Debian's packages")
    command = ["kubectl", "kustomize", str(EXAMPLES[label])]
    return documents(subprocess.run(command, check=True, capture_output=True, text=True, timeout=240).stdout)


@pytest.mark.parametrize("label", EXAMPLES)
def test_an_example_is_rendered_into_what_kubernetes_expects(label: str) -> None:
    rendered = rendered_example(label)
    by_kind = {document["kind"]: document for document in rendered}
    for document in rendered:
        kubernetes_validate.validate(document, VERSION, strict=True)
        assert document["metadata"]["name"].startswith("example-orchestrator")
        assert document["metadata"]["namespace"] == "sites"

    assert set(by_kind) == {"ServiceAccount", "StatefulSet", "Service", "NetworkPolicy", "ConfigMap", "Secret"}
    pod = by_kind["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["volumes"][0]["configMap"]["name"] == by_kind["ConfigMap"]["metadata"]["name"]
    assert pod["containers"][0]["envFrom"][0]["secretRef"]["name"] == by_kind["Secret"]["metadata"]["name"]
    assert by_kind["StatefulSet"]["spec"]["selector"]["matchLabels"]["orchestrator/site"] == label
    account = by_kind["ServiceAccount"]["metadata"]["name"]
    assert account == pod["serviceAccountName"] == by_kind["StatefulSet"]["spec"]["serviceName"]


def test_a_site_reaches_its_devices_and_a_portfolio_nothing_but_names_and_the_broker() -> None:
    reached = {
        label: next(each for each in rendered_example(label) if each["kind"] == "NetworkPolicy")["spec"]["egress"]
        for label in EXAMPLES
    }

    assert reached["example"][-1]["to"] == [{"ipBlock": {"cidr": "10.20.1.0/24"}}]
    assert reached["example-portfolio"] == reached["example"][:-1] == base("NetworkPolicy")["spec"]["egress"]


def test_a_portfolio_has_a_core_and_memory_for_a_thousand_sites_and_is_never_taken_for_a_site() -> None:
    stateful = next(each for each in rendered_example("example-portfolio") if each["kind"] == "StatefulSet")
    (container,) = stateful["spec"]["template"]["spec"]["containers"]

    assert container["resources"]["requests"]["cpu"] == "1"
    assert "cpu" not in container["resources"]["limits"]
    assert stateful["spec"]["selector"]["matchLabels"]["orchestrator/storey"] == "portfolio"


def test_there_are_never_two_of_one_site_and_its_state_survives() -> None:
    spec = base("StatefulSet")["spec"]

    assert spec["replicas"] == 1
    assert [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] == ["state"]


def test_the_pod_is_closed() -> None:
    pod = base("StatefulSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert base("NetworkPolicy")["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize(
    ("probe", "path"),
    [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")],
)
def test_the_probes_ask_whether_the_plant_decides(probe: str, path: str) -> None:
    (container,) = base("StatefulSet")["spec"]["template"]["spec"]["containers"]

    assert container[probe]["httpGet"] == {"path": path, "port": "metrics"}


@pytest.mark.parametrize("label", EXAMPLES)
def test_an_example_is_fine_takes_its_secrets_from_outside_and_begins_in_shadow_mode(label: str) -> None:
    text = (EXAMPLES[label] / "site.yaml").read_text()
    variables = dict(line.split("=", 1) for line in (EXAMPLES[label] / "secrets.example.env").read_text().split())
    config = parse_config(text, environ=variables)

    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(variables)
    assert not config.control.enabled
    assert config.metrics is not None
    assert config.metrics.port == base("Service")["spec"]["ports"][0]["port"]
    assert not [warning for warning in warnings(config) if "password" in warning]


@pytest.mark.parametrize(
    "text", re.findall(r"```yaml\n((?:#[^\n]*\n)*(?:scrape_configs|global|remote_write):.*?)```", FLEET, re.DOTALL)
)
def test_prometheus_takes_what_the_page_says(text: str, tmp_path: Path) -> None:
    from tests.support.servers.required import require_server

    promtool = require_server("promtool")
    for token in re.findall(r"/etc/prometheus/([\w.-]+)", text):
        (tmp_path / token).write_text("token")
    path = tmp_path / "prometheus.yml"
    # Debian builds Prometheus without the discovery of Kubernetes; everything else of that block is checked.
    text = re.sub(r"kubernetes_sd_configs: .*", "static_configs: []", text)
    path.write_text(text.replace("/etc/prometheus/", f"{tmp_path}/"))
    said = subprocess.run([promtool, "check", "config", str(path)], check=False, capture_output=True, text=True)

    assert said.returncode == 0, said.stdout + said.stderr


def test_the_topics_of_the_page_are_those_that_are_published() -> None:
    from orchestrator.config.audience import AGGREGATE
    from orchestrator.config.checks import PUBLISHED

    patterns = re.findall(r"pattern write sites/%u/(\S+)", FLEET)
    assert set(patterns) == {*PUBLISHED, "inverters/+", AGGREGATE, f"{AGGREGATE}/answer"}
