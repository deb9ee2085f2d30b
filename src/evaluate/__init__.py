"""What a labour-market programme did, for women and for men, and what it cost."""

__version__ = "0.1.0"
