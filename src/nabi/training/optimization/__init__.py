"""How weights move: optimizers, which weights decay, and schedules of the learning rate."""
