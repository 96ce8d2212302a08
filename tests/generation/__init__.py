"""Writing texts: settings, processors, search, stopping."""
