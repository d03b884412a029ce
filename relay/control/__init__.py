"""The function app and this relay.

commands   the private side: commands, health, metrics
heartbeat  says that this relay lives, and who writes at it
"""
