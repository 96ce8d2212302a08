"""Objectives that need two models: replaced-token detection (ELECTRA), and distillation with its students."""
