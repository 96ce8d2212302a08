"""The engine: roles, attention, wiring, blocks, stacks, heads. It knows no family."""
