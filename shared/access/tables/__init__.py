"""Policies, approvals and rate limits in Table Storage.

policies     policies by scope
approvals    requests for approval
rate_limits  how often somebody asked
"""
