"""The state of a sandbox: its objects, its clocks, its timers and the events it told."""
