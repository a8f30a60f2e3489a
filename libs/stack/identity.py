"""Under which user a server runs: PostgreSQL refuses root, and no server deserves it.

As root it runs as `nobody`. Where `nobody` cannot reach the files (a checkout in root's home, mode 0700),
it runs in a user namespace in which root's own files belong to a user called nobody.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libs.stack.errors import StackError

_NOBODY = 65534
#: Enter the data directory, write there, run the program.
_PROBE = 'cd "$1" && test -w . && exec "$2" --version'


@dataclass(frozen=True, slots=True)
class Identity:
    """A user to start programs as. `prefix` goes before the command; uid and gid own the server's files."""

    uid: int
    gid: int
    drop: bool = False
    prefix: tuple[str, ...] = ()

    def popen(self) -> dict[str, Any]:
        """What to add to subprocess.Popen's arguments."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drop else {}

    def take(self, directory: Path) -> None:
        """Own a directory and what is in it, mode 0700; nothing to do for whoever is not root."""
        directory.chmod(0o700)
        if os.geteuid() == 0 and directory.stat().st_uid != self.uid:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_run(self, program: Path, directory: Path) -> bool:
        """Whether this user can run a program in a directory: tried, for permissions have many authors."""
        command = [*self.prefix, "/bin/sh", "-c", _PROBE, "probe", str(directory), str(program)]
        try:
            tried = subprocess.run(  # noqa: S603
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=30,
                check=False,
                **self.popen(),
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return tried.returncode == 0


def server_identity(program: Path, directory: Path) -> Identity:
    """The user to run `program` as; `directory` (existing, for its data) is theirs afterwards.

    Raises StackError when root can hand the program to nobody else.
    """
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid())
    for identity in _for_root():
        identity.take(directory)
        if identity.can_run(program, directory):
            return identity
    raise StackError(
        f"{program.name} does not run as root, and the user nobody cannot reach {directory}: "
        "move the checkout out of the private directory, or work as another user"
    )


def _for_root() -> Iterator[Identity]:
    try:
        nobody = pwd.getpwnam("nobody")
        yield Identity(nobody.pw_uid, nobody.pw_gid, drop=True)
    except KeyError:
        yield Identity(_NOBODY, _NOBODY, drop=True)
    unshare = shutil.which("unshare")
    if unshare:
        yield Identity(0, 0, prefix=(unshare, "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"))
