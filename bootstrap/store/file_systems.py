"""Where SQLite must not live: on file systems of other machines, whose locks can't be trusted.

Two processes that both believe to hold the lock hand one item out twice, or damage the file. What is mounted
where is known on Linux only; on Windows a path says whether it begins with another machine's name; elsewhere
nothing is refused.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from bootstrap.errors import StoreError

__all__ = ["refuse_network"]

_MOUNTS: Final = Path("/proc/self/mountinfo")

_NETWORK: Final = frozenset(
    (
        "afs",
        "auristorfs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fhgfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs3",
        "nfs4",
        "orangefs",
        "panfs",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
    )
)
#: What stands after `fuse.` where a program brings in another machine's files.
_NETWORK_FUSE: Final = frozenset(
    (
        "beegfs",
        "blobfuse",
        "blobfuse2",
        "ceph",
        "ceph-fuse",
        "curlftpfs",
        "davfs",
        "davfs2",
        "dbfs",
        "gcsfuse",
        "glusterfs",
        "goofys",
        "juicefs",
        "lizardfs",
        "mfs",
        "moosefs",
        "mount-s3",
        "mountpoint-s3",
        "rclone",
        "s3fs",
        "seaweedfs",
        "smbnetfs",
        "sshfs",
        "vmhgfs-fuse",
    )
)


def refuse_network(path: Path, mounts: str | None = None) -> None:
    """Refuse a path on a network file system.

    Parameters
    ----------
    path : Path
        Of the SQLite file, which need not exist.
    mounts : str, optional
        What is mounted where, as Linux tells it in /proc/self/mountinfo.

    Raises
    ------
    StoreError
        If the file would lie on another machine.
    """
    if (machine := _machine_in(path)) is not None:
        raise StoreError(_refusal(path, f"on the machine {machine}"))
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return
    resolved = path.resolve()
    point, kind = _mounted_at(PurePosixPath(resolved.as_posix()), mounts)
    if kind is not None:
        raise StoreError(_refusal(resolved, f"{kind}, mounted at {point}"))


def _refusal(path: Path, where: str) -> str:
    return (
        f"{path} lies on a network file system ({where}), where SQLite's locks can't be trusted and labels "
        "can be lost. Keep the store on a local disk; for several machines, use PostgreSQL, with a URL such "
        "as postgresql://user@host/name. Nothing was made."
    )


def _machine_in(path: Path) -> str | None:
    r"""The machine that a Windows path names, as in \\server\share\labels.db; None where it is this one."""
    host, parted, _ = path.drive.removeprefix("\\\\").partition("\\")
    return host if parted and host not in ("?", ".") else None


def _mounted_at(path: PurePosixPath, mounts: str) -> tuple[str, str | None]:
    """Where the file system of a path is mounted, and its kind if it is one of another machine."""
    best, kind = PurePosixPath("/"), None
    for line in mounts.splitlines():
        before, parted, after = line.partition(" - ")
        fields, about = before.split(" "), after.split(" ")
        if not parted or len(fields) < 5 or len(about) < 2:
            continue
        point = PurePosixPath(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        # Of two at the same place the later one covers the earlier.
        if path.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best = point
            kind = about[0] if _is_network(about[0], about[1], " ".join(about[2:])) else None
    return str(best), kind


def _is_network(kind: str, source: str, options: str) -> bool:
    if kind.startswith("fuse"):
        return kind.removeprefix("fuse.") in _NETWORK_FUSE or "://" in source or source in _NETWORK_FUSE
    if kind == "9p":  # a sandbox's own disk speaks it over a file descriptor; so does Windows' under WSL
        return "trans=fd" not in options or "drvfs" in options
    return kind in _NETWORK
