"""Key Vault's keys, as far as the service uses them: list versions, read a public key, sign. A local stand-in.

callers   the bearer token: the tenant's signature, a vault's audience, an identity that may use the keys
keys      the keys and their versions, on disk
app       the REST API, and under /admin what an owner of the vault would do: rotate, disable
"""
