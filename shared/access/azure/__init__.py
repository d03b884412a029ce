"""Azure Resource Manager and Entra.

callers             who calls: tokens of Entra, verified
on_behalf_of        asks Azure as the caller
credential          the service's own identity
arm_clients         the clients of Azure Resource Manager, and their time limit
arm_pages           lists that come in pages
vms                 VMs and their state
rights              what Azure lets a caller do
constraints         locks, regions and switches of Azure that keep a console from opening
power               start, stop, restart
boot_logs           the boot log and the screenshot
shared_questions    one question to Azure for many live sessions
shared_vms          VMs, asked for many sessions at once
shared_rights       rights, asked for many sessions at once
shared_constraints  constraints, asked for many sessions at once
"""
