"""`watchdeck help`: the reference of configuration, rules, filters, JSON and keys.

Each topic is generated from the types and tables that the program itself uses, so that neither can
be without the other.
"""
