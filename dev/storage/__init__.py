"""What Azure Storage refuses and Azurite does not: a proxy before Azurite's blobs and tables.

immutability  which requests a container's policy or legal hold forbids, and the answer (pure)
limits        sizes and names that the service refuses (pure)
rows          how large a row is for the service (pure)
trouble       a storage that is busy, and queries whose pages end early
proxy         all else goes on to Azurite, byte for byte
"""
