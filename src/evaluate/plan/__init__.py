"""The programme file is the analysis plan: typed, closed, and the only thing that steers."""
