"""Scripts as tutorials write them, in folders by area; `python -m tests.scripts.run` says how many run where."""
