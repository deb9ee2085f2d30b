"""Stage `data`: from the raw files, as received, to a clean study and its flow."""
