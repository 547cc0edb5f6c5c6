"""Statistics over jobs: two jobs compared row by row, and what SQL cannot do for it."""
