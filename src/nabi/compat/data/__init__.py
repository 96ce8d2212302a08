"""Data sets of 2019: examples read from the folders of GLUE and SQuAD, features, metrics, text files."""
