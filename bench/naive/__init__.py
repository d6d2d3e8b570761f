"""What one writes first: a REST view that validates one event and saves it."""
