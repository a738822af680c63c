"""Polls endpoints and hands out scrapes; a failed scrape is a scrape too."""
