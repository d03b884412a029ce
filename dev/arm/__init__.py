"""Azure Resource Manager, as much of it as the application asks. A stand-in over the fleet's table and real machines.

app               the application: who calls, may they, which operation
routing           an operation: method, path, the action it needs and at which scope
callers           the bearer token, verified
rights            role assignments and built-in roles turned into yes or no
roles             the built-in role definitions
world             what there is now: VMs, assignments, operations under way
machines          the gateway's control API: which machine runs, start it, stop it
power             a VM's power state, and what changes it
compute           Microsoft.Compute: VMs and the scale set
operations        how far a power change is
boot_blobs        where boot logs and screenshots lie
documents         VMs as Compute describes them
authorization     Microsoft.Authorization: permissions, assignments, definitions
serial_console    Microsoft.SerialConsole: the subscription's switch, ports, connect
connect_refusals  what connect is refused with
storage           Microsoft.Storage: the boot-diagnostics account
subscriptions     the subscription itself
throttle          token buckets, as ARM has them
faults            what goes wrong when it is told to
admin             changes for tests and demonstrations; Azure has nothing like it
bodies            what those are sent, made into the world's records
paging            nextLink
refusals          ARM's errors, in its own words
"""
