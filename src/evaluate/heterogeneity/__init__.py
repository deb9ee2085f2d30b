"""Stage `heterogeneity`: for whom the effects differ."""
