"""Limits by cgroup, on a kernel whose cgroups are the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconnectingpty.cgroup import Delegation, NoCgroup, _own

from .uml import inside


@pytest.mark.timeout(300)
async def test_sessions_on_a_kernel_of_their_own(tmp_path: Path) -> None:
    found = await inside(tmp_path)
    assert not [result for result in found.values() if "error" in result], found

    memory = found["memory"]
    assert memory["held"] == {"memory": "cgroup"}
    assert (memory["little"]["code"], memory["little"]["output"]) == (0, "8\r\n")
    # The kernel kills what takes too much; the session beside it has not noticed.
    assert (memory["much"]["signal"], memory["much"]["output"]) == (9, "")

    bomb = found["processes"]["bomb"]
    assert "fork" in bomb["output"]
    assert "survived" not in bomb["output"]
    assert bomb["left"] == 0

    assert found["cpu"]["throttled"] > 0

    for ended in found["killed_with_its_session"]:
        assert {"sleep", "sh"} & set(ended["names"])
        assert (ended["alive"], ended["left"]) == (0, 0)

    assert found["adopted"] == {"same": True, "held": {"processes": "cgroup"}, "before": 1, "left": 0}

    # A cgroup with limits for its children holds no process itself: the server has moved.
    assert found["where"]["own"] == f"/service/{found['where']['server']}"
    assert set(found["where"]["enabled"].split()) == {"memory", "pids", "cpu"}

    # A disk is full, or there can be no further process: what is new is refused in words, and works when that is over.
    well = {"alive": True, "ended": "DONE", "after": "", "still": True}
    assert found["full_disk"]["buffered"] == well | {"refused": ""}  # which keeps nothing on it
    assert found["full_disk"]["screen"].items() >= well.items()
    assert "No space left on device" in found["full_disk"]["screen"]["refused"]
    for backend in ("buffered", "screen"):
        shortage = found["no_more_processes"][backend]
        assert shortage.items() >= well.items()
        assert all("Resource temporarily unavailable" in refused for refused in shortage["refused"]), shortage

    assert [text.partition(": ")[2] for text in found["refused"]] == [
        "/sys/fs/cgroup/nowhere is no cgroup of version 2",
        "/proc is no cgroup of version 2",
    ]


MOUNTS = """\
22 1 0:20 / /sys/fs/cgroup ro,nosuid shared:4 - tmpfs tmpfs rw
30 22 0:26 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory
31 22 0:27 {top} /sys/fs/cgroup/un\\040ified rw shared:6 - cgroup2 cgroup2 rw
"""


@pytest.mark.parametrize(
    ("top", "own", "path"),
    [
        ("/", "0::/system.slice/x.service\n", "/sys/fs/cgroup/un ified/system.slice/x.service"),
        ("/", "4:memory:/m\n0::/\n", "/sys/fs/cgroup/un ified"),
        ("/docker/abc", "0::/docker/abc/child\n", "/sys/fs/cgroup/un ified/child"),
        ("/docker/abc", "0::/elsewhere\n", None),
        ("/", "4:memory:/m\n", None),
    ],
)
def test_a_process_finds_its_own_cgroup_as_it_sees_it(top: str, own: str, path: str | None) -> None:
    found = _own(MOUNTS.format(top=top), own)
    assert (str(found[0]) if found is not None else None) == path


def test_what_is_no_cgroup_of_version_2_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(NoCgroup, match=f"{tmp_path} is no cgroup"):
        Delegation.find(str(tmp_path))
