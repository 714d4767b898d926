"""SQLite does not live on another machine's disk."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import cast

import pytest

from bootstrap.errors import StoreError
from bootstrap.store import file_systems
from bootstrap.store.file_systems import refuse_network

LOCAL = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"


def mount(point: str, kind: str, source: str = "server:/share", options: str = "rw") -> str:
    return f"40 22 0:35 / {point} rw,relatime shared:7 master:2 - {kind} {source} {options}\n"


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "fuse.sshfs", "fuse.rclone"]
)
def test_a_store_on_a_network_file_system_is_refused_with_the_remedy(kind: str) -> None:
    with pytest.raises(StoreError, match=rf"\({kind}, mounted at /share\).*local disk.*postgresql://"):
        refuse_network(Path("/share/team/labels.db"), LOCAL + mount("/share", kind))


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuse.ntfs-3g", "fuseblk"]
)
def test_a_local_file_system_is_taken(kind: str) -> None:
    refuse_network(Path("/disk/labels.db"), LOCAL + mount("/disk", kind, "/dev/sdb1"))


@pytest.mark.parametrize("name", [r"\\server\share\labels.db", "//server/share/labels.db"])
def test_a_windows_path_that_begins_with_another_machine_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match=r"on the machine server\).*local disk"):
        refuse_network(cast("Path", PureWindowsPath(name)))


@pytest.mark.parametrize("name", [r"C:\team\labels.db", r"\\?\C:\team\labels.db", "C:/labels.db"])
def test_a_windows_path_on_a_drive_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "_MOUNTS", Path("there is no such file on Windows"))
    refuse_network(cast("Path", PureWindowsPath(name)))


def test_the_innermost_mount_decides() -> None:
    local_in_network = LOCAL + mount("/share", "nfs4") + mount("/share/scratch", "xfs", "/dev/sdc")

    refuse_network(Path("/share/scratch/labels.db"), local_in_network)
    with pytest.raises(StoreError, match="nfs4"):
        refuse_network(Path("/share/scratchy/labels.db"), local_in_network)


def test_the_later_of_two_mounts_at_one_place_decides() -> None:
    refuse_network(Path("/share/labels.db"), mount("/share", "nfs4") + mount("/share", "ext4", "/dev/sdb"))
    with pytest.raises(StoreError, match="nfs4"):
        refuse_network(
            Path("/share/labels.db"), mount("/share", "ext4", "/dev/sdb") + mount("/share", "nfs4")
        )


def test_a_mount_point_with_a_space_in_its_name_is_understood() -> None:
    with pytest.raises(StoreError, match="mounted at /my share"):
        refuse_network(Path("/my share/labels.db"), LOCAL + mount("/my\\040share", "cifs"))


def test_a_link_into_a_network_file_system_is_followed(tmp_path: Path) -> None:
    far = tmp_path.resolve() / "far"
    far.mkdir()
    (tmp_path / "near").symlink_to(far)

    with pytest.raises(StoreError, match="cifs"):
        refuse_network(tmp_path / "near" / "labels.db", LOCAL + mount(str(far), "cifs"))


@pytest.mark.parametrize(
    ("kind", "source", "options", "refused"),
    [
        ("9p", "none", "rw,trans=fd,rfdno=4,wfdno=4", False),  # the disk of a sandbox
        (
            "9p",
            "C:\\134",
            "rw,aname=drvfs;path=C:\\134;uid=0,trans=fd,rfd=8,wfd=8",
            True,
        ),  # Windows', under WSL
        ("9p", "shared", "rw,trans=virtio", True),
        ("fuse", "https://cloud.example/dav", "rw", True),
        ("fuse", "mountpoint-s3", "rw", True),
        ("fuse", "/dev/sdb1", "rw", False),
    ],
)
def test_what_is_mounted_tells_the_kinds_that_can_be_either(
    kind: str, source: str, options: str, refused: bool
) -> None:
    mounts = LOCAL + mount("/x", kind, source, options)

    if refused:
        with pytest.raises(StoreError, match="network file system"):
            refuse_network(Path("/x/labels.db"), mounts)
    else:
        refuse_network(Path("/x/labels.db"), mounts)


def test_lines_that_say_nothing_are_passed_over() -> None:
    with pytest.raises(StoreError, match="nfs"):
        refuse_network(Path("/share/labels.db"), "nonsense\na - b\n\n" + mount("/share", "nfs"))


def test_where_nothing_is_known_of_mounts_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_systems, "_MOUNTS", tmp_path / "nowhere")

    refuse_network(tmp_path / "labels.db")


def test_the_machines_own_mounts_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "mountinfo"
    told.write_text(LOCAL + mount(str(tmp_path.resolve()), "nfs"), encoding="utf-8")
    monkeypatch.setattr(file_systems, "_MOUNTS", told)

    with pytest.raises(StoreError, match="nfs"):
        refuse_network(tmp_path / "labels.db")
