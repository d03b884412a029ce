"""Keys of signed statements."""
