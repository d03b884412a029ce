import stat
from dataclasses import dataclass

from dev.machines.cpio import Archive


@dataclass
class Entry:
    mode: int
    owner: int
    content: bytes
    device: tuple[int, int]


def read(archive: bytes) -> dict[str, Entry]:
    """An independent reader of newc: names to entries, the trailer included."""
    entries, at = {}, 0
    while at < len(archive):
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        _, mode, uid, gid, _, _, size, _, _, major, minor, name_size, _ = fields
        assert uid == gid
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        start = at + 110 + name_size + -(110 + name_size) % 4
        entries[name] = Entry(mode, uid, archive[start : start + size], (major, minor))
        at = start + size + -size % 4
    return entries


def test_a_file_keeps_its_content_and_mode() -> None:
    archive = Archive()
    archive.file("init", "#!/bin/sh\n", mode=0o755)
    entry = read(archive.finish())["init"]
    assert entry.content == b"#!/bin/sh\n"
    assert entry.mode == stat.S_IFREG | 0o755


def test_parent_folders_come_once_and_before_what_they_hold() -> None:
    archive = Archive()
    archive.file("etc/acpi/PWRF/00000080", b"x")
    archive.file("etc/acpi/other", b"y")
    names = list(read(archive.finish()))
    assert names == ["etc", "etc/acpi", "etc/acpi/PWRF", "etc/acpi/PWRF/00000080", "etc/acpi/other", "TRAILER!!!"]


def test_links_and_devices_are_what_the_kernel_expects() -> None:
    archive = Archive()
    archive.link("sbin", "bin")
    archive.character_device("dev/ttyS0", 4, 64)
    entries = read(archive.finish())
    assert (entries["sbin"].mode, entries["sbin"].content) == (stat.S_IFLNK | 0o777, b"bin")
    assert (entries["dev/ttyS0"].mode, entries["dev/ttyS0"].device) == (stat.S_IFCHR | 0o600, (4, 64))


def test_a_folder_can_have_an_owner() -> None:
    archive = Archive()
    archive.folder("home/ops", owner=1000)
    entries = read(archive.finish())
    assert entries["home/ops"].owner == 1000
    assert entries["home"].owner == 0


def test_every_part_ends_on_four_bytes() -> None:
    for length in range(5):
        archive = Archive()
        archive.file("f", bytes(length))
        assert len(archive.finish()) % 4 == 0
