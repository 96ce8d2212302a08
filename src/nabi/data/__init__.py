"""Data on disk to records and rows: the ground that training, batch and the command line stand on. Loads no torch."""
