"""Stage `report`: tables, figures and words, from the released tables alone."""
