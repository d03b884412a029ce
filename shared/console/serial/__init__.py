"""Microsoft.SerialConsole.

serial_ports    opens a VM's port
gateway_port    an open port: a WebSocket to Azure's gateway
gateway_memory  which exchange a gateway took last, and how it closed
commands        reset, NMI and SysRq down the line
"""
