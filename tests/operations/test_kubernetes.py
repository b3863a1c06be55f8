"""The manifests: what Kubernetes's own schemas say of them, and that they fit together, and the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from reconnectingpty_server import api
from reconnectingpty_server.cli import parser
from reconnectingpty_server.config import load

from ..support.serving import Told, serving
from ..tunnel.support import needed
from .prometheus import ROOT

FOLDER = ROOT / "server/kubernetes"
FILES = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
OBJECTS = [document for name in FILES for document in yaml.safe_load_all((FOLDER / name).read_text())]
NAMES = [f"{document['kind']}-{document['metadata']['name']}" for document in OBJECTS]


def the(kind: str, name: str = "reconnectingpty") -> dict[str, Any]:
    """The object of that kind and name."""
    (found,) = (o for o in OBJECTS if (o["kind"], o["metadata"]["name"]) == (kind, name))
    return found


NODES = the("StatefulSet")
ROUTER = the("Deployment", "reconnectingpty-router")
PODS = [f"reconnectingpty-{number}" for number in range(NODES["spec"]["replicas"])]


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    """What a workload's pods are made from."""
    template: dict[str, Any] = workload["spec"]["template"]
    return template


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    """All containers of a workload's pods."""
    spec = pod(workload)["spec"]
    return [*spec["initContainers"], *spec["containers"]]


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("document", OBJECTS, ids=NAMES)
def test_a_manifest_is_what_kubernetes_takes(document: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_every_file_is_in_the_kustomization() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*FILES, "kustomization.yaml"}


def test_what_selects_pods_selects_some() -> None:
    labels = [pod(workload)["metadata"]["labels"] for workload in (NODES, ROUTER)]
    named = [{"statefulset.kubernetes.io/pod-name": name} for name in PODS]
    for document in OBJECTS:
        spec = document["spec"]
        selector = spec.get("selector") or spec["podSelector"]
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= one.items() for one in (*labels, *named)), document["metadata"]["name"]


def test_every_node_has_an_address_of_its_own_and_the_router_knows_them_all() -> None:
    for name in PODS:
        service = the("Service", name)["spec"]
        assert service["selector"] == {"statefulset.kubernetes.io/pod-name": name}
        assert service["publishNotReadyAddresses"]
    (configuration,) = pod(ROUTER)["spec"]["initContainers"]
    assert [word for word in configuration["command"] if word.startswith("reconnectingpty-")] == [
        f"{name}={name}:7681" for name in PODS
    ]


def test_the_router_s_configuration_is_one_that_haproxy_takes(tmp_path: Path) -> None:
    (configuration,) = pod(ROUTER)["spec"]["initContainers"]
    (mount,) = configuration["volumeMounts"]
    program, *words = configuration["command"]
    words = [word.replace(mount["mountPath"], str(tmp_path)) for word in words]
    for number, name in enumerate(PODS):  # HAProxy looks the Services' names up, which nobody knows here
        words = [word.replace(f"={name}:", f"=127.0.0.{number + 1}:") for word in words]
    subprocess.run([Path(sys.executable).parent / program, *words], check=True, timeout=60)
    subprocess.run(
        [needed("/usr/sbin/haproxy", "haproxy"), "-c", "-f", tmp_path / "haproxy.cfg"], check=True, timeout=60
    )
    said = (tmp_path / "haproxy.cfg").read_text()
    (haproxy,) = pod(ROUTER)["spec"]["containers"]
    for port in haproxy["ports"]:
        assert f":{port['containerPort']}" in said


def test_the_server_takes_its_arguments_and_listens_where_it_is_asked() -> None:
    (container,) = pod(NODES)["spec"]["containers"]
    words = [word.replace("$(POD)", PODS[-1]) for word in container["args"]]
    config = load(vars(parser().parse_args(["serve", *words])), {})
    assert config.node == PODS[-1]
    assert [port["containerPort"] for port in container["ports"]] == [config.listen[0].port]
    mounts = tuple(mount["mountPath"] for mount in container["volumeMounts"])
    assert config.token_file.startswith(mounts)
    assert config.key_file.startswith(mounts)


def test_what_is_written_is_mounted_and_all_that_is_mounted_is_there() -> None:
    for workload in (NODES, ROUTER):
        claims = workload["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in pod(workload)["spec"]["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in claims}
        for container in containers(workload):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    (server,) = pod(NODES)["spec"]["containers"]
    writable = {mount["mountPath"] for mount in server["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/home/user", "/run/reconnectingpty", "/tmp"}
    assert {"name": "XDG_RUNTIME_DIR", "value": "/run/reconnectingpty"} in server["env"]


def test_nothing_runs_as_root_or_has_more_rights_than_it_needs() -> None:
    for workload in (NODES, ROUTER):
        spec = pod(workload)["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in containers(workload):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]


def test_the_end_of_a_pod_leaves_the_server_its_time() -> None:
    from reconnectingpty_server.server import SOFT_SECONDS

    assert pod(NODES)["spec"]["terminationGracePeriodSeconds"] >= 2 * SOFT_SECONDS
    assert NODES["spec"]["updateStrategy"] == {"type": "OnDelete"}


async def test_a_full_node_is_ready_for_kubernetes_and_so_is_the_router_before_it() -> None:
    (container,) = pod(NODES)["spec"]["containers"]
    asked = container["readinessProbe"]["httpGet"]["path"]
    async with serving(max_sessions="1") as s, s.connect("reconnect=a&command=cat") as socket:
        await Told(socket).until_told("hello")
        assert (await s.request("GET", "/readyz", token=None))[0] == 503
        # Else the budget would count it as missing, and no other node could be evicted.
        assert (await s.request("GET", asked, token=None))[0] == 200
    assert the("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    # A new router has found out whether it reaches a node before it takes an old one's place.
    (haproxy,) = pod(ROUTER)["spec"]["containers"]
    assert haproxy["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert ROUTER["spec"]["minReadySeconds"] > haproxy["readinessProbe"]["periodSeconds"]


async def test_the_probes_are_answered_as_the_kubelet_asks_them() -> None:
    async with serving() as s:
        for container in (*pod(NODES)["spec"]["containers"], *pod(ROUTER)["spec"]["containers"]):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    path = container[probe]["httpGet"]["path"]
                    assert path in api.ROUTES
                    # By the pod's address, and without a token.
                    assert (await s.request("GET", path, token=None, Host="10.244.1.7:7681"))[0] == 200
