"""Look-ahead: does a strategy use bars that it cannot have seen?"""
