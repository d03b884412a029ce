"""Keys that sign.

jws             JSON Web Signatures
jwt_tokens      session tokens, signed
token_keys      session tokens, verified by a relay
vault_key_ring  keys that stay in Key Vault
pem_key_ring    keys in PEM
"""
