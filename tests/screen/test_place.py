"""Where sessions that GNU screen carries have their files, and when it is screen that carries one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconnectingpty import (
    OptionError,
    Options,
    StartFailed,
    State,
    backends,
    new,
)
from reconnectingpty.backends import resolve
from reconnectingpty.screen import setup
from reconnectingpty.screen.directory import home, name_of
from reconnectingpty.wire.messages import Hello

from ..support.attached import Attached
from .homes import kept, screen_of


class TestPlace:
    async def test_it_is_for_its_user_alone(self) -> None:
        async with screen_of("exec cat") as session:
            await Attached.to(session).until_told(Hello)
            (path,) = kept()
            assert path == home() / name_of(session.id)
            assert stat.S_IMODE(home().stat().st_mode) == 0o700
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            assert all(not entry.lstat().st_mode & 0o077 for entry in path.iterdir())
            # What the command's environment was told by may hold secrets.
            assert not (path / "spec").exists()

    async def test_one_that_is_not_its_users_is_refused(self, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(mode=0o777)
        home().parent.mkdir(parents=True)
        home().symlink_to(elsewhere)
        async with screen_of("exec cat") as session:
            with pytest.raises(StartFailed, match="not a directory of this user"):
                await Attached.to(session).outcome
        assert list(elsewhere.iterdir()) == []
        home().unlink()

    async def test_one_that_others_could_read_is_closed_to_them(self) -> None:
        home().mkdir(parents=True, mode=0o777)
        home().chmod(0o777)
        async with screen_of("exec cat") as session:
            await Attached.to(session).until_told(Hello)
            assert stat.S_IMODE(home().stat().st_mode) == 0o700

    async def test_a_path_too_long_for_a_socket_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
        async with screen_of("exec cat") as session:
            with pytest.raises(StartFailed, match="XDG_RUNTIME_DIR"):
                await Attached.to(session).outcome

    async def test_two_sessions_of_one_id_have_a_place_each(self) -> None:
        # As two servers of one user would have them.
        async with screen_of("echo one; exec cat") as one:
            await Attached.to(one).until(b"one")
            two = new("echo two; exec cat", Options(backend_type="screen"), session_id=one.id)
            await Attached.to(two).until(b"two")
            assert len(kept()) == 2
            two.close()
            await two.wait()
            assert one.state is State.READY
            assert len(kept()) == 1


class TestChoice:
    def test_both_backends_are_known(self) -> None:
        assert backends() == ("buffered", "screen")

    async def test_an_unknown_name_is_refused_with_those_that_there_are(self) -> None:
        with pytest.raises(OptionError, match="choose one of auto, buffered, screen"):
            new("", Options(backend_type="tmux"))

    @pytest.mark.parametrize("name", ["", "auto"])
    def test_screen_is_taken_where_it_can_be(self, name: str) -> None:
        assert resolve(name) == "screen"

    def test_not_where_its_sockets_have_no_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
        assert resolve("auto") == "buffered"

    def test_not_where_nothing_can_be_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
        assert resolve("auto") == "buffered"

    def test_not_where_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert (resolve("auto"), resolve("screen")) == ("buffered", "screen")

    @pytest.mark.parametrize("name", [None, "nobody"])
    def test_not_for_users_whom_screen_does_not_take(self, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        # Tried with screen 4.9.0: it ends for the first, and refuses its own configuration to the second.
        entries = {os.getuid(): SimpleNamespace(pw_name=name)} if name else {}
        monkeypatch.setattr(setup.pwd, "getpwuid", entries.__getitem__)
        assert resolve("auto") == "buffered"
