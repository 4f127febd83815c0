"""The Kubernetes manifests: valid by the schemas of Kubernetes, pods as the restricted standard asks for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.deployed import DEPLOY, manifests

KUBERNETES = "1.34"
OBJECTS = list(manifests())


def pods() -> Iterator[Mapping[str, Any]]:
    for each in OBJECTS:
        spec = each.get("spec", {})
        template = spec.get("jobTemplate", each)["spec"].get("template") if spec else None
        if template:
            yield template["spec"]


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_an_object_is_what_kubernetes_takes(each: dict[str, Any]) -> None:
    kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_all_that_production_needs_is_there_and_listed() -> None:
    kinds = {each["kind"] for each in OBJECTS}
    assert {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= kinds
    assert {"NetworkPolicy", "Ingress", "Job", "CronJob", "ServiceAccount", "Namespace"} <= kinds
    assert "Secret" not in kinds, "secrets come by reference"
    listed = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(f"kubernetes/{file.name}" for file in (DEPLOY / "kubernetes").iterdir())


def test_pods_have_no_rights() -> None:
    found = list(pods())
    assert len(found) == 3
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["envFrom"] == [{"secretRef": {"name": "gateway-environment"}}]
            assert {"requests", "limits"} <= set(container["resources"])
            assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/tmp", "/var/lib/mizuchi"}


def test_probes_ask_what_each_is_for() -> None:
    (gateway,) = (each for each in OBJECTS if each["kind"] == "Deployment")
    (container,) = gateway["spec"]["template"]["spec"]["containers"]
    paths = {
        probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert "replicas" not in gateway["spec"], "the autoscaler decides"


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_kustomize_puts_them_together() -> None:
    built = subprocess.run(["kubectl", "kustomize", DEPLOY], capture_output=True, text=True, check=True)
    objects = list(yaml.safe_load_all(built.stdout))
    assert len(objects) == len(OBJECTS) + 1
    (configuration,) = (each for each in objects if each["kind"] == "ConfigMap")
    assert configuration["data"]["config.yaml"] == (DEPLOY / "config.yaml").read_text()
    assert all(each["metadata"].get("namespace", "mizuchi") == "mizuchi" for each in objects)
