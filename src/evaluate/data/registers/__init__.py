"""Linked tables, with any number of rows for each person: spells, activities, incomes."""
