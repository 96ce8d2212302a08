"""Pieces that a few families share, and that the engine has no use for."""
