"""Who is told of a training's events: what decides when to log, evaluate and save, what shows it, what reports it."""
