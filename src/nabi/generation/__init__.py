"""Writing texts: settings, the passes of the model, what is done to scores, searches, stopping, streaming."""
