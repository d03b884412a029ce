"""Who may do what with a console: rights, policies, approvals and the state of a VM.

settings      the settings of these rules
dependencies  the ports that the flows of this package need
"""
