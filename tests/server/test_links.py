"""The file of links' records: servers that share it, records that are none, and what could not be written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconnectingpty_server.access.keys import Keys
from reconnectingpty_server.access.links import Links
from reconnectingpty_server.access.visitor import Access


@dataclass(frozen=True)
class Shared:
    """A session."""

    id: str
    created: float = 1.5
    owner: str = "alice"


A, B = Shared("a"), Shared("b")


def sharing(folder: Path) -> Links:
    """The links of a server with the keys of that folder."""
    return Links(Keys(str(folder / "keys")), str(folder / "links"))


def recorded(folder: Path) -> list[str]:
    """The sessions whose links are in the file."""
    return sorted(json.loads(line)["session"] for line in (folder / "links").read_text().splitlines())


def made(links: Links, session: Shared) -> str:
    """The id of a new link."""
    return links.make(session, Access.READ, 600, "alice")[0].id


def test_servers_that_share_a_file_leave_each_others_links_in_it(tmp_path: Path) -> None:
    one = sharing(tmp_path)
    first = made(one, A)
    other = sharing(tmp_path)
    mine = made(other, B)
    made(one, A)
    assert recorded(tmp_path) == ["a", "a", "b"]
    one.revoke(first)
    made(other, B)
    assert recorded(tmp_path) == ["a", "b", "b"]
    later = sharing(tmp_path)
    assert (later.get(first), later.get(mine) is not None) == (None, True)
    one.forget(A)
    other.revoke(mine)
    assert recorded(tmp_path) == ["b"]


def test_a_link_that_was_revoked_while_nothing_could_be_written_is_gone_with_the_next_that_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = sharing(tmp_path)
    first = made(one, A)

    def full(old: Path, new: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", full)
        one.revoke(first)
        unwritten = made(one, B)
    assert "No space left" in caplog.text
    assert recorded(tmp_path) == ["a"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert (one.get(first), one.get(unwritten) is not None) == (None, True)
    made(one, B)
    assert recorded(tmp_path) == ["b", "b"]


@pytest.mark.parametrize(
    "line",
    [
        "torn", "[1]", '"x"', "null", "{}",
        '{"id":"x","session":"a","session_created":1.5,"access":"read","created":1,"expires":null,"by":"x",'
        '"owner":"x","key":"x"}',
        '{"id":["x"],"session":"a","session_created":1.5,"access":"read","created":1,"expires":9e9,"by":"x",'
        '"owner":"x","key":"x"}',
        '{"id":"x","session":"a","session_created":1.5,"access":"all","created":1,"expires":9e9,"by":"x",'
        '"owner":"x","key":"x"}',
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_dropped_and_the_others_count(
    tmp_path: Path, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = made(sharing(tmp_path), A)
    path = tmp_path / "links"
    path.write_text(f"{line}\n{path.read_text()}")
    again = sharing(tmp_path)
    assert again.get(link) is not None
    assert [grant.id for grant in again.of(A)] == [link]
    assert "is dropped" in caplog.text
