"""Takes the bare kernel (vmlinux) out of a distribution's compressed one (vmlinuz).

Under software emulation the guest's own unpacking costs seconds at every boot and reset, so it is done once here.
Layout of a bzImage: the kernel's Documentation/arch/x86/boot.rst.
"""

import bz2
import lzma
import shutil
import struct
import subprocess
import zlib

SECTOR = 512
ELF = b"\x7fELF"


class UnknownKernelError(Exception):
    """Not a bzImage, or packed in a way that cannot be undone here."""


def unpack(image: bytes) -> bytes:
    """The ELF image inside a bzImage. Raises UnknownKernelError."""
    if image[0x202:0x206] != b"HdrS":
        raise UnknownKernelError("not a Linux bzImage")
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * SECTOR + offset
    kernel = _decompress(image[start : start + length])
    if not kernel.startswith(ELF):
        raise UnknownKernelError("the kernel's payload is not an ELF image")
    return kernel


def _decompress(payload: bytes) -> bytes:
    # All but gzip are followed by four bytes that hold the unpacked size.
    match payload[:4]:
        case b"\x02\x21\x4c\x18":
            return _filter("lz4", payload[:-4])
        case b"\x28\xb5\x2f\xfd":
            return _filter("zstd", payload[:-4])
        case b"\xfd7zX":
            return lzma.decompress(payload[:-4])
        case b"BZh9":
            return bz2.decompress(payload[:-4])
        case magic if magic.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(payload)
        case magic:
            raise UnknownKernelError(f"the kernel is packed in an unknown way ({magic.hex()})")


def _filter(program: str, payload: bytes) -> bytes:
    if shutil.which(program) is None:
        raise UnknownKernelError(f"the kernel is packed with {program}, which is not installed")
    done = subprocess.run([program, "-d", "-c"], input=payload, capture_output=True, check=False)
    if done.returncode:
        raise UnknownKernelError(f"{program}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
