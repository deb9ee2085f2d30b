"""Stage `costs`: what the programme cost, and what one more unit of its outcome cost."""
