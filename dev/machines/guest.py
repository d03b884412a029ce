"""The files inside a guest: busybox, a login on ttyS0, and what rescue runs need. One image serves every machine.

What differs comes on the kernel's command line: `host=NAME`, `keys=only` (nobody has a password), `fstab=broken` and
`single` (the two classic reasons to need a serial console).
"""

import secrets
import subprocess
from pathlib import Path

from dev.demo import GUEST_PASSWORD, GUEST_USER
from dev.machines import test_pattern
from dev.machines.cpio import Archive

INIT = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
exec /bin/init
"""

START = f"""#!/bin/sh
export PATH=/bin
mkdir -p /dev/pts /tmp /run; mount -t devpts devpts /dev/pts
mount -o remount,rw / 2>/dev/null
asked() {{ case " $(cat /proc/cmdline) " in *" $1 "*) true;; *) false;; esac; }}
host=$(sed -n 's/.* host=\\([^ ]*\\).*/\\1/p' /proc/cmdline); hostname "${{host:-guest}}"
ip link set lo up
echo 1 > /proc/sys/kernel/sysrq
for module in /lib/modules/load/*.ko; do [ -e "$module" ] && insmod "$module"; done
if asked keys=only; then
  unknown=$(mkpasswd -m sha512 "$(head -c 24 /dev/urandom | base64)")  # busybox says "bad salt" for a mere !
  sed -i "s|^\\([^:]*\\):[^:]*:|\\1:$unknown:|" /etc/shadow
  login='SSH keys only. No user here has a password, so nobody can log in on this console.'
else
  login='demo machine. Log in as {GUEST_USER} (or root) with password {GUEST_PASSWORD}'
fi
printf '\\n%s: %s\\n\\n' "$host" "$login" > /etc/issue
if asked fstab=broken; then echo 'UUID=0badc0de-dead-beef /data ext4 defaults 0 2' >> /etc/fstab; fi
mkdir -p /data
while ! mount -a; do
  echo '[FAILED] Failed to mount local filesystems.'
  echo 'You are in emergency mode. After logging in, type "dmesg" to view logs, "exit" to boot into default mode.'
  setsid -c sulogin </dev/ttyS0 >/dev/ttyS0 2>&1
done
if asked single; then echo 'Single-user mode'; setsid -c sulogin </dev/ttyS0 >/dev/ttyS0 2>&1; fi
[ -e /dev/input/event0 ] && acpid
echo "Started after $(cut -d' ' -f1 /proc/uptime) s"
"""

POWER_BUTTON = """#!/bin/sh
echo 'Power button pressed' > /dev/console
/bin/poweroff
"""

TEXTS = {
    "etc/inittab": "::sysinit:/etc/start\n"
    "ttyS0::respawn:/bin/getty -L 115200 ttyS0 vt220\n"
    "::ctrlaltdel:/bin/reboot\n"
    "::shutdown:/bin/umount -a -r\n",
    "etc/passwd": f"root:x:0:0:root:/root:/bin/sh\n{GUEST_USER}:x:1000:1000:Operator:/home/{GUEST_USER}:/bin/sh\n",
    "etc/group": f"root:x:0:\ntty:x:5:\n{GUEST_USER}:x:1000:\n",
    "etc/fstab": "tmpfs /tmp tmpfs defaults 0 0\n",
    "etc/profile": "export PATH=/bin\nexport PS1='\\u@\\h:\\w\\$ '\n",
    "etc/securetty": "console\nttyS0\n",
}
PROGRAMS = {
    "init": INIT,
    "etc/start": START,
    "etc/acpi/PWRF/00000080": POWER_BUTTON,
    "bin/say-hash": test_pattern.COMMAND,
}
FOLDERS = ("dev", "proc", "sys", "etc", "bin", "root", "tmp", "run", "var/log", "var/run", "home", "mnt", "lib")


def initramfs(busybox: Path, modules: list[Path]) -> bytes:
    """The guest's file system. `modules` are loaded in the order given; the host runs `busybox` to ask for its
    applets and for a password hash.

    Raises CalledProcessError when that busybox lacks mkpasswd.
    """
    archive = Archive()
    for folder in FOLDERS:
        archive.folder(folder)
    archive.folder(f"home/{GUEST_USER}", owner=1000)
    _devices(archive)
    _busybox(archive, busybox)
    for path, text in TEXTS.items():
        archive.file(path, text)
    for path, text in PROGRAMS.items():
        archive.file(path, text, mode=0o755)
    archive.file("etc/shadow", _shadow(busybox), mode=0o600)
    for position, module in enumerate(modules):
        archive.file(f"lib/modules/load/{position:02}-{module.name}", module.read_bytes())
    return archive.finish()


def _devices(archive: Archive) -> None:
    """What the kernel opens before devtmpfs is there."""
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3, mode=0o666)
    archive.character_device("dev/ttyS0", 4, 64)


def _busybox(archive: Archive, busybox: Path) -> None:
    archive.file("bin/busybox", busybox.read_bytes(), mode=0o4755)  # set-uid: su and login need it
    for applet in _run(busybox, "--list").split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    archive.link("sbin", "bin")
    archive.link("usr", ".")


def _shadow(busybox: Path) -> str:
    password = _run(busybox, "mkpasswd", "-m", "sha512", "-S", secrets.token_hex(4), GUEST_PASSWORD).strip()
    return "".join(f"{user}:{password}:19000:0:99999:7:::\n" for user in ("root", GUEST_USER))


def _run(busybox: Path, *arguments: str) -> str:
    return subprocess.run([busybox, *arguments], capture_output=True, text=True, check=True).stdout
