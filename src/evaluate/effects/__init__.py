"""Stage `effects`: what the offer did, and what taking part did, for whom."""
