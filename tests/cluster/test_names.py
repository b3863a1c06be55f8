"""Whose a session is: what an id says, what a request means on a node, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.wire.address import NAME, InvalidQuery
from reconnectingpty_server.cluster.arrival import arrived
from reconnectingpty_server.cluster.names import NODE, Elsewhere, Node
from reconnectingpty_server.exchange import Refused, Request

A = Node("a")


def request(path: str, **query: str) -> Request:
    return Request("GET", path, {name: [value] for name, value in query.items()}, {}, b"", "unix", True)


def nothing(session: str) -> bool:
    return False


def test_a_minted_id_carries_its_node_and_is_an_id() -> None:
    ids = {A.mint() for _ in range(100)}
    assert len(ids) == 100
    for session in ids:
        assert NAME.fullmatch(session)
        assert session.startswith("a.")
        assert A.own(session) == session
    assert "." not in Node().mint()


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a_b", "x" * 25, "ä", "a b", "a\n"])
def test_what_is_no_label_is_no_node(name: str) -> None:
    assert not NODE.fullmatch(name)


def test_the_longest_node_leaves_room_for_a_uuid() -> None:
    assert NAME.fullmatch(Node("n" * 24).own("550e8400-e29b-41d4-a716-446655440000"))


def test_a_plain_name_is_an_alias_on_its_node() -> None:
    assert A.own("work") == "a.work"
    assert A.own("a.work") == "a.work"


def test_a_session_from_before_the_node_had_its_name_keeps_its_id() -> None:
    alive = {"work", "old.work"}
    for session in ("work", "a.work"):
        assert A.own(session, alive.__contains__) == "work"
    assert A.own("old.work", alive.__contains__) == "old.work"
    assert A.own("other", alive.__contains__) == "a.other"


def test_a_server_without_a_name_leaves_ids_as_they_are() -> None:
    assert Node().own("b.work") == "b.work"
    asked = request("/pty", reconnect="b.work")
    assert arrived(asked, Node(), nothing) == asked


IDS = st.from_regex(NAME, fullmatch=True)


@given(node=st.from_regex(NODE, fullmatch=True), session=IDS)
def test_whatever_a_client_calls_a_session_its_id_leads_back_to_it(node: str, session: str) -> None:
    here = Node(node)
    try:
        whole = here.own(session)
    except (Elsewhere, InvalidQuery):
        return
    assert NAME.fullmatch(whole)
    assert whole.partition(".")[0] == node
    assert here.own(whole) == whole
    if session != whole:
        assert here.own(session, {whole}.__contains__) == whole
    with pytest.raises(Elsewhere):
        Node(node + "0" if len(node) < 24 else "a").own(whole)


def test_another_nodes_session_is_elsewhere() -> None:
    with pytest.raises(Elsewhere, match=r"is on node 'b', and this is node 'a'"):
        A.own("b.work")


def test_a_name_too_long_for_its_node_is_said_to_be() -> None:
    with pytest.raises(InvalidQuery, match="must have at most 62 characters on this node"):
        A.own("x" * 63)
    with pytest.raises(InvalidQuery, match="must have a name after that of the node"):
        A.own("a.")
    assert A.own("not an id") == "a.not an id"  # that is refused where ids are read


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/node/a/api/sessions", "/api/sessions"),
        ("/node/a/", "/"),
        ("/node/a", "/"),
        ("/node/a/node/a/api/sessions", "/api/sessions"),
        ("/node/a/api/sessions/work/screen", "/api/sessions/a.work/screen"),
        ("/api/sessions/work", "/api/sessions/a.work"),
        ("/api/sessions/a.work/links/x", "/api/sessions/a.work/links/x"),
        ("/api/sessions/", "/api/sessions/"),
        ("/api/sessions", "/api/sessions"),
        ("/assets/a.b", "/assets/a.b"),
    ],
)
def test_a_path_is_taken_as_this_nodes(path: str, wanted: str) -> None:
    assert arrived(request(path), A, nothing).path == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/node/b/",
        "/node/b",
        "/node/a/node/b/",
        "/node//x",
        "/node/A/x",
        "/api/sessions/b.x",
        "/node/a/api/sessions/b.x",
    ],
)
def test_a_path_of_another_node_is_elsewhere(path: str) -> None:
    with pytest.raises(Refused) as refused:
        arrived(request(path), A, nothing)
    assert refused.value.response.status == 421


def test_every_id_in_a_query_is_looked_at() -> None:
    assert arrived(request("/pty", reconnect="work", width="80"), A, nothing).query == {
        "reconnect": ["a.work"],
        "width": ["80"],
    }
    twice = Request("GET", "/pty", {"reconnect": ["a.x", "b.x"]}, {}, b"", "unix", True)
    with pytest.raises(Refused) as refused:
        arrived(twice, A, nothing)
    assert refused.value.response.status == 421
    empty = request("/pty", reconnect="")
    assert arrived(empty, A, nothing) == empty
