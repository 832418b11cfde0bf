"""The `freefall` command: one small file per verb over the functions that the assets call."""
