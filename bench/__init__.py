"""`python -m bench`: how much the service takes in, as ratios to what the machine could do at best."""
