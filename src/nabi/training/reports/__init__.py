"""What a training leaves behind to be read: tables of metrics, curves, a model card, a repository on the Hub."""
