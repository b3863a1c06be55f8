"""The user that sessions run as: whom the password database knows, and how a child becomes that user.

Knows no session. What is looked up is looked up in the server; the child between fork and exec only makes the calls.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from .errors import OptionError

DEFAULT_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Account:
    """A user: login name, home directory, login shell, user id; and, where it is another than ours, its groups."""

    name: str
    home: str
    shell: str
    uid: int
    gid: int = -1
    """-1 where nobody has to become this user."""
    groups: tuple[int, ...] = ()

    @property
    def switch(self) -> bool:
        """Whether a child has to become this user."""
        return self.gid >= 0

    def become(self) -> None:
        """Be this user from here on, for a child between fork and exec, with the terminal on its standard input.

        Raises OSError.
        """
        os.fchown(0, self.uid, -1)  # as login(1) does: programs open their terminal anew, by its name
        os.setgroups(self.groups)
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)


def current_account() -> Account:
    """This process's user, from the password database; where that has no shell, $SHELL, and then /bin/sh."""
    uid = os.getuid()
    shell = os.environ.get("SHELL") or DEFAULT_SHELL
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # a container run with a user id that has no name
        return Account(str(uid), os.environ.get("HOME") or "/", shell, uid)
    return Account(entry.pw_name, entry.pw_dir or "/", entry.pw_shell or shell, uid)


def account_of(name: str | None) -> Account:
    """The user of that name, with all its groups; None: this process's. Raises OptionError for one that can't be had.

    Only root can become another user.
    """
    if name is None:
        return current_account()
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise OptionError(f"user: there is no user {name!r} on this machine") from None
    if entry.pw_uid == os.getuid() == os.geteuid():
        return current_account()
    if os.geteuid() != 0:
        raise OptionError(f"user: only root can run sessions as {name!r}")
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    shell = entry.pw_shell or DEFAULT_SHELL
    return Account(entry.pw_name, entry.pw_dir or "/", shell, entry.pw_uid, entry.pw_gid, groups)
