import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable

import pytest

from dev.machines.kernel import UnknownKernelError, unpack

VMLINUX = b"\x7fELF" + bytes(range(256)) * 64
SETUP_SECTORS = 3


def image(payload: bytes) -> bytes:
    """A bzImage around a payload, as far as anybody looks at it."""
    header = bytearray((SETUP_SECTORS + 1) * 512)
    header[0x1F1] = SETUP_SECTORS
    header[0x202:0x206] = b"HdrS"
    header[0x248:0x250] = struct.pack("<II", 16, len(payload))
    return bytes(header) + bytes(16) + payload + b"what follows is not the payload"


def with_size(packed: bytes) -> bytes:
    return packed + struct.pack("<I", len(VMLINUX))


def piped(program: str, *options: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
        return with_size(subprocess.run([program, *options, "-c"], input=data, capture_output=True, check=True).stdout)

    return pack


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lambda data: with_size(lzma.compress(data)), id="xz"),
        pytest.param(lambda data: with_size(bz2.compress(data)), id="bzip2"),
        pytest.param(piped("lz4", "-l"), id="lz4"),
        pytest.param(piped("zstd"), id="zstd"),
    ],
)
def test_the_bare_kernel_comes_out_however_it_was_packed(pack: Callable[[bytes], bytes]) -> None:
    assert unpack(image(pack(VMLINUX))) == VMLINUX


def test_an_unknown_packing_is_named() -> None:
    with pytest.raises(UnknownKernelError, match="deadbeef"):
        unpack(image(b"\xde\xad\xbe\xef" + bytes(60)))


def test_a_file_that_is_no_kernel_is_refused() -> None:
    with pytest.raises(UnknownKernelError, match="bzImage"):
        unpack(bytes(4096))


def test_a_payload_that_is_no_elf_image_is_refused() -> None:
    with pytest.raises(UnknownKernelError, match="ELF"):
        unpack(image(gzip.compress(b"not a kernel")))
