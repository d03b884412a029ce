"""The flows of sessions, one use of the product per function.

open_session            check, lock, sign: a token for a console
attach_session          a relay attaches the bearer of a token
renew_sessions          a relay's heartbeat
recheck_sessions        live sessions whose rights are looked at again
close_session           show, list and end sessions; the relay's detach
live_session            when a live session must end
lease                   whether the lock's holder still lives
show_console            what is known before a console is opened
switch_console          switches a console on or off
change_policy           show, set and clear policies, and end what they no longer allow
get_recording_settings  what a relay must record, and how
run_command             reset, restart, start, stop, NMI, SysRq
check_health            every dependency by name
"""
