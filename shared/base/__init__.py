"""The words that every other package uses.

settings  reads settings from the environment
"""
