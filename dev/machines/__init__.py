"""The machines of the local Azure: something real behind every COM1.

inventory        which machines there are, and how each one starts
machine          what the gateway asks of a machine, whatever it is made of
qemu             a real one: QEMU under software emulation, COM1 and QMP over socket pairs
com1, qmp        its serial port and its control protocol, from our side
die_with_parent  nothing started here outlives this process
scripted         a stand-in on a kernel pty where QEMU cannot be had; script is what it runs
test_pattern     the known stream that guests print, for comparing transcripts
machine_factory  which kind of machine this computer can have, and the images it needs
images           the kernel and the initramfs, built once
packages         what apt brings: QEMU, a kernel, busybox
kernel           the bare kernel out of a distribution's compressed one
guest            the files inside a guest
cpio             the archive an initramfs is made of
"""
