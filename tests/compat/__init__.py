"""Tests of the drop-in: nabi under the name transformers."""
