"""Who may do what with a VM's console: Azure roles, rights, policies, approvals and the state of the VM.

azure_roles          what Azure lets a caller do: roles, conditions, deny assignments
rights               what may be done with a console, and the Azure actions that each right demands
compatibility        which clients of Azure's own console are served
policy               what owners demand: switches, reasons, networks, tags, sign-in, approval
policy_codec         policies as JSON
approval             a request that somebody else must approve
approval_codec       approvals as JSON
rate_limit           how often somebody may ask
diagnostics_account  the storage account of a VM's boot diagnostics
checks               what keeps a console from opening
console_warnings     what deserves a warning only
commands             reset, restart, start, stop, NMI, SysRq
recording_settings   what is recorded of a console: masks, typed input
mask_pattern         the patterns of masks
ports                callers, rights, VMs, policies, approvals, rate limits
settings             the settings of these rules
dependencies         the ports that the flows of this package need
flows                list VMs, check a VM, ask for approval, apply a rate limit
azure                Azure Resource Manager and Entra
tables               policies, approvals and rate limits in Table Storage
durable              approvals in the task hub
"""
