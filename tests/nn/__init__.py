"""The engine, without an oracle."""
