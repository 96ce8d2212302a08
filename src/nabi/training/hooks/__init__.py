"""The methods of Trainer beside the training itself, by subject, for a subclass to replace one by one: its data, its
optimizer, its evaluation, what it saves. Each class lists what it takes from the trainer that it is a part of."""
