"""`reconnectingpty haproxy-config`: what it takes, what it refuses, and that HAProxy takes what it writes."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from reconnectingpty_server.cluster import command
from reconnectingpty_server.cluster.haproxy import configuration
from reconnectingpty_server.cluster.router import MAX_CHECKS, MAX_SECONDS, MAX_THREADS, Router, read
from reconnectingpty_server.values import ConfigError

WHOLE = """
bind = ["127.0.0.1:7680", "[::1]:7680", "unix:/run/router.sock"]
redirect = "127.0.0.1:7679"
certificate = "{certificate}"
metrics = "unix:/run/metrics.sock"
control = "/run/haproxy.sock"
trusted-proxies = ["10.1.0.0/16", "fd00::1", "unix"]
nodes-ca = "{certificate}"
remove-headers = ["X-User", "X-Groups"]
nameservers = ["127.0.0.1:53", "[::1]:53"]
user = "root"
group = "root"
threads = 2
keep-seconds = 3600
check-seconds = 5
fall = 2
rise = 1
gone-seconds = 61
[nodes]
a = "10.0.0.1:7681"
b = "[fd00::2]:7681"
nat-1 = "unix:/run/nodes/nat-1.sock"
old = {{ address = "127.0.0.1:7682", drain = true }}
"""


def haproxy_config(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reconnectingpty_server", "haproxy-config", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "router.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def test_haproxy_takes_a_configuration_that_has_everything(tmp_path: Path, certificate: Path) -> None:
    file, out = tmp_path / "router.toml", tmp_path / "haproxy.cfg"
    file.write_text(WHOLE.format(certificate=certificate))
    done = haproxy_config("--config", str(file), "--check", "--output", str(out), "more=127.0.0.1:7683", "--drain", "a")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = out.read_text()
    assert [line.split()[1] for line in text.splitlines() if line.endswith(" weight 0")] == ["a", "old"]
    assert f"server a 10.0.0.1:7681 check ssl verify required ca-file {certificate} verifyhost a weight 0" in text
    assert "server nat-1 unix@/run/nodes/nat-1.sock check" in text
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_haproxy_needs_no_root_once_it_listens(tmp_path: Path) -> None:
    done = haproxy_config("a=127.0.0.1:7681", "--user", "nobody", "--group", "root", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "    user nobody\n    group root\n" in done.stdout


def test_plain_http_is_sent_on_to_the_port_that_speaks_tls(certificate: Path) -> None:
    for binds, port in ((["h:443"], ""), (["h:8443", "h:443"], ":8443"), (["unix:/x", "h:9443"], ":9443")):
        router = read("", ["a=h:1"], [], bind=binds, redirect=["h:80"], certificate=str(certificate))
        assert f" location https://%[req.hdr(host),host_only]{port}%[pathq] " in configuration(router)


def test_a_node_alone_is_enough() -> None:
    done = haproxy_config("a=127.0.0.1:7681", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == configuration(read("", ["a=127.0.0.1:7681"], []))


def test_a_node_may_be_called_what_haproxy_has_a_word_for() -> None:
    names = ("0", "if", "or", "unless", "nodes", "check", "weight", "track", "a--b", "x" * 24)
    done = haproxy_config(*(f"{name}=127.0.0.{number + 1}:1" for number, name in enumerate(names)), "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_haproxy_warns_of_is_told_and_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "haproxy.cfg"
    monkeypatch.setattr(command, "check", lambda text: ["[WARNING] so and so"])
    arguments = argparse.ArgumentParser()
    command.add_arguments(arguments)
    assert command.run(arguments.parse_args(["a=127.0.0.1:1", "--check", "--output", str(out)])) == 0
    assert capsys.readouterr().err == "reconnectingpty: haproxy: [WARNING] so and so\n"
    assert "server a 127.0.0.1:1" in out.read_text()


def test_a_host_that_nobody_knows_is_refused_unless_it_is_looked_up_again() -> None:
    nodes = ["a=127.0.0.1:1", "b=there-is-none.invalid:1"]
    with pytest.raises(ConfigError, match=r"could not resolve address 'there-is-none\.invalid'"):
        command.check(configuration(read("", nodes, [])))
    command.check(configuration(read("", nodes, [], nameservers=["127.0.0.1:53"])))


def test_what_haproxy_refuses_is_told_and_not_written(tmp_path: Path) -> None:
    out = tmp_path / "haproxy.cfg"
    out.write_text("as it was")
    done = haproxy_config("a=127.0.0.1:1", "--certificate", "/nothing.pem", "--check", "--output", str(out))
    assert done.returncode == 2
    assert "haproxy refuses it" in done.stderr
    assert "/nothing.pem" in done.stderr
    assert out.read_text() == "as it was"


def test_without_haproxy_the_check_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.shutil, "which", lambda *_, **__: None)
    with pytest.raises(ConfigError, match="there is no haproxy here"):
        command.check("")


@pytest.mark.parametrize(
    ("nodes", "drain", "more", "complaint"),
    [
        ([], [], {}, "there are no nodes"),
        (["a"], [], {}, "'a' must be NAME=HOST:PORT or NAME=unix:/PATH"),
        (["A=h:1"], [], {}, "node 'A': must be 1 to 24"),
        (["a.b=h:1"], [], {}, "node 'a.b': must be"),
        (["a=h"], [], {}, "must be host:port"),
        (["a=h:1 check-send-proxy"], [], {}, "must be host:port"),
        (["a=h h:1"], [], {}, "characters that can't be there"),
        (["a=h\n:1"], [], {}, "characters that can't be there"),
        (["a=unix:relative"], [], {}, "characters that can't be there"),
        (["a=unix:/x y"], [], {}, "characters that can't be there"),
        (["a=unix:/x\n    server evil 1.2.3.4:5"], [], {}, "characters that can't be there"),
        (["a=h:1", "b=h:1"], [], {}, "nodes 'a' and 'b' have one address"),
        (["a=h:1"], ["b"], {}, "there is no node 'b'"),
        (["a=h:1"], ["a"], {}, "every node is draining"),
        (["a=h:1"], [], {"redirect": ["h:80"]}, "there is no certificate"),
        (["a=h:1"], [], {"certificate": "x.pem"}, "must be an absolute path"),
        (["a=h:1"], [], {"control": "/x level user"}, "must be an absolute path"),
        (["a=h:1"], [], {"user": "root group x"}, "must be the name of a user"),
        (["a=h:1"], [], {"remove_headers": ["X-User if FALSE"]}, "must be headers' names"),
        (["a=h:1", "a=h:2"], [], {}, "node 'a' is given twice"),
        (["a=h:0"], [], {}, "must have a port from 1"),
        (["a=h:1"], [], {"bind": [":0"]}, "must have a port from 1"),
        (["a=h:1"], [], {"keep_seconds": 0}, "keep_seconds: must be a whole number from 1 to 2147483"),
        (["a=h:1"], [], {"keep_seconds": 2147484}, "from 1 to 2147483"),
        (["a=h:1"], [], {"gone_seconds": 2147484}, "from 1 to 2147483"),
        (["a=h:1"], [], {"threads": 65}, "threads: must be a whole number from 1 to 64"),
        (["a=h:1"], [], {"fall": "x"}, "fall: must be a whole number"),
        (["a=h:1"], [], {"nameservers": ["dns.example:53"]}, "must be a bare address and a port"),
        (["a=h:1"], [], {"nameservers": ["unix:/run/dns.sock"]}, "must be a bare address and a port"),
        (["a=h:1"], [], {"trusted_proxies": ["proxy.example"]}, "must be an address, a network"),
        (["a=h:1"], [], {"redirect": ["h:80"], "certificate": "/x.pem", "bind": ["unix:/x"]}, "no `bind` speaks HTTPS"),
        ([f"n{i}=h:{i + 1}" for i in range(257)], [], {}, "at most 256 nodes"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    nodes: list[str], drain: list[str], more: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read("", nodes, drain, **more)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_haproxy_takes_the_largest_numbers_that_are_taken_here() -> None:
    most = dict.fromkeys(("keep_seconds", "check_seconds", "gone_seconds"), MAX_SECONDS)
    router = read("", ["a=127.0.0.1:1"], [], **most, threads=MAX_THREADS, fall=MAX_CHECKS, rise=MAX_CHECKS)
    assert command.check(configuration(router)) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense = 1", "there is no setting 'nonsense'"),
        ("nodes = 3", "nodes: must be a table"),
        ("[nodes.a]\naddress = 'h:1'\nweight = 3", "must be an address, or a table of"),
        ("[nodes.a]\ndrain = 'yes'\naddress = 'h:1'", "must be an address, or a table of"),
        ("[nodes.a]\ndrain = true", "a: 'None' must be host:port"),
        ("bind = [", "router.toml: "),
        ("[nodes]\na = 'h:1'\n[nodes.b]", "b: 'None' must be"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_a_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "router.toml"
    file.write_text(text)
    done = haproxy_config("--config", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_arguments_count_more_than_the_file(tmp_path: Path) -> None:
    file = tmp_path / "router.toml"
    file.write_text("bind = '127.0.0.1:1'\nfall = 9\n[nodes]\na = 'h:1'\nb = 'h:2'\n")
    router = read(str(file), ["b=h:3"], [], bind=["127.0.0.1:2"], redirect=None)
    assert isinstance(router, Router)
    assert [str(address) for address in router.bind] == ["127.0.0.1:2"]
    assert {node.name: str(node.address) for node in router.nodes} == {"a": "h:1", "b": "h:3"}
    assert router.fall == 9
