"""From files and databases to cells of text, and from text to numbers, codes and dates."""
