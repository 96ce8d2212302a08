"""Libraries that are written for `transformers`, as published, on nabi through the drop-in.

programs/ holds what their users write, one file a theme. They run on nabi, one after the other in one process, and in
another on the incumbent; the numbers that both found are compared. What is not installed is skipped.
"""
