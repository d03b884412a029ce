"""The flows of access, one use of the product per function.

examine_vm        every check of a VM for a caller
list_vms          the VMs that a caller sees, each with what keeps its console from opening
approve           ask for approval, see it, decide
check_rate_limit  refuses a caller who asks too often
tell_unavailable  the refusal for a dependency that does not answer
"""
