"""`python -m bench`: how much the service takes in and shows, as ratios where there is something to compare with."""
