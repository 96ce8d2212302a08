"""`nabi train`: its options, what it reads, the flow of a run, what it says and leaves."""
